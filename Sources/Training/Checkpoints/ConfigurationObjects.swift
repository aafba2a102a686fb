import Models
import Tensors

extension Autoencoder {
  /// The fields of ``configurationJSON()``.
  func configurationObject() throws -> JSONObject { try JSONObject(text: configurationJSON()) }
}

extension Denoiser {
  /// The fields of ``configurationJSON()``.
  func configurationObject() throws -> JSONObject { try JSONObject(text: configurationJSON()) }
}

extension JSONObject {
  /// The object that a text is; an empty one if it is something else.
  fileprivate init(text: String) throws(JSONError) {
    guard case .object(let object) = try JSONParser.parse(Array(text.utf8)) else {
      self.init()
      return
    }
    self = object
  }
}
