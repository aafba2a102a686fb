import Tensors
import TestSupport
import Testing

struct SymmetricEigenvectorsTests {
  @Test func ofTwoByTwo() throws {
    let eigen = try #require(SymmetricEigenvectors(of: [2, 1, 1, 2], size: 2))
    #expect(abs(eigen.values[0] - 3) < 1e-12 && abs(eigen.values[1] - 1) < 1e-12)
    let half = 0.5.squareRoot()
    #expect(zip(eigen.vectors[0], [half, half]).allSatisfy { abs($0 - $1) < 1e-12 })
  }

  @Test(arguments: [1, 2, 7, 48])
  func vectorsGiveTheMatrix(size: Int) throws {
    let numbers = sampleScalars(size * size).map(Double.init)
    var matrix = numbers
    for row in 0..<size {
      for column in 0..<size {
        matrix[row * size + column] = numbers[row * size + column] + numbers[column * size + row]
      }
    }
    let eigen = try #require(SymmetricEigenvectors(of: matrix, size: size))
    #expect(zip(eigen.values, eigen.values.dropFirst()).allSatisfy { $0 >= $1 })
    for row in 0..<size {
      for column in 0..<size {
        let sum = (0..<size).reduce(0.0) {
          $0 + eigen.values[$1] * eigen.vectors[$1][row] * eigen.vectors[$1][column]
        }
        #expect(abs(sum - matrix[row * size + column]) < 1e-10)
      }
    }
  }

  @Test func numbersThatAreNoneAreRefused() {
    #expect(SymmetricEigenvectors(of: [1, .nan, .nan, 1], size: 2) == nil)
  }
}
