import Foundation
import Studio
import Tensors
import TestSupport
import Testing

@Suite struct PageFileTests {
  private func text(_ path: String) throws -> String {
    String(decoding: try #require(PageFile.files[path]).bytes, as: UTF8.self)
  }

  @Test func thePageIsServedWithoutInlineScriptsOrStyles() async throws {
    let answer = try await makeSite().ask("GET", "/")
    let page = String(decoding: answer.bytes, as: UTF8.self)
    #expect(answer.contentType == "text/html; charset=utf-8")
    #expect(!page.contains("<style") && !page.contains(" style=") && !page.contains(" onclick="))
    #expect(page.ranges(of: "<script").count == 1 && page.contains("src=\"app.js\""))
  }

  @Test func thePageNamesNoOtherHost() throws {
    for path in PageFile.files.keys where !path.hasSuffix(".json") {
      let found = try text(path).ranges(of: /https?:\/\/[^"'\s]+/).map { $0 }
      for range in found {
        // The name of a vocabulary, which nobody fetches.
        #expect(try text(path)[range].hasPrefix("http://www.w3.org/"))
      }
    }
  }

  @Test func whatModulesImportIsThere() throws {
    for (path, _) in PageFile.files where path.hasSuffix(".js") {
      for match in try text(path).matches(of: /from "\.\/([^"]+)"/) {
        #expect(PageFile.files[String(match.1)] != nil, "\(path) imports \(match.1)")
      }
    }
  }

  @Test func anUnchangedFileIsNotSentAgain() async throws {
    let site = try makeSite()
    let first = try await site.ask("GET", "/app.js")
    let tag = try #require(first.headers.first { $0.0 == "ETag" }?.1)
    let again = try await site.ask(
      "GET", "/app.js", headers: ["host": "localhost", "if-none-match": tag])
    #expect(again.status == 304 && again.bytes.isEmpty)
  }

  @Test func programsGetNoPage() async throws {
    let site = try makeSite { $0.servesPage = false }
    #expect(try await site.ask("GET", "/").status == 404)
    #expect(try await site.ask("GET", "/app.js").status == 404)
    #expect(try await site.ask("GET", "/openapi.json").status == 200)
  }

  @Test func theDescriptionNamesEveryWayAndNoOther() throws {
    guard case .object(let document) = try JSONParser.parse(PageFile.openAPI),
      case .object(let paths)? = document["paths"]
    else {
      Issue.record("no paths")
      return
    }
    var described: Set<String> = []
    for member in paths.members {
      guard case .object(let operations) = member.value else { continue }
      for operation in operations.members {
        described.insert("\(operation.key.uppercased()) \(member.key)")
      }
    }
    let served = try makeSite().router.routes.map { route in
      route.method + " "
        + route.name.split(separator: "/", omittingEmptySubsequences: false)
        .map { $0.first == ":" ? "{\($0.dropFirst())}" : String($0) }.joined(separator: "/")
    }
    #expect(described == Set(served))
  }
}
