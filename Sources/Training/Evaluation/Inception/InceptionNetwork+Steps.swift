extension InceptionNetwork {
  /// All that the network does, as torchvision's `Inception3` names it.
  static let steps: [Step] = [
    plain("Conv2d_1a_3x3", 32, stride: 2), plain("Conv2d_2a_3x3", 32),
    square("Conv2d_2b_3x3", 64, 3), .greatest(stride: 2), square("Conv2d_3b_1x1", 80, 1),
    plain("Conv2d_4a_3x3", 192), .greatest(stride: 2),
    blockA("Mixed_5b", pooled: 32), blockA("Mixed_5c", pooled: 64), blockA("Mixed_5d", pooled: 64),
    blockB("Mixed_6a"),
    blockC("Mixed_6b", 128), blockC("Mixed_6c", 160), blockC("Mixed_6d", 160),
    blockC("Mixed_6e", 192),
    blockD("Mixed_7a"),
    blockE("Mixed_7b", pooling: .mean), blockE("Mixed_7c", pooling: .greatest(stride: 1)),
  ]

  private static func square(_ name: String, _ outputs: Int, _ side: Int) -> Step {
    .convolution(Convolution(name: name, outputs: outputs, height: side, width: side))
  }

  /// 3×3 without a border.
  private static func plain(_ name: String, _ outputs: Int, stride: Int = 1) -> Step {
    .convolution(
      Convolution(
        name: name, outputs: outputs, height: 3, width: 3, stride: stride, isPadded: false))
  }

  private static func row(_ name: String, _ outputs: Int, _ width: Int) -> Step {
    .convolution(Convolution(name: name, outputs: outputs, height: 1, width: width))
  }

  private static func column(_ name: String, _ outputs: Int, _ height: Int) -> Step {
    .convolution(Convolution(name: name, outputs: outputs, height: height, width: 1))
  }

  private static func blockA(_ name: String, pooled: Int) -> Step {
    .branches([
      [square("\(name).branch1x1", 64, 1)],
      [square("\(name).branch5x5_1", 48, 1), square("\(name).branch5x5_2", 64, 5)],
      [
        square("\(name).branch3x3dbl_1", 64, 1), square("\(name).branch3x3dbl_2", 96, 3),
        square("\(name).branch3x3dbl_3", 96, 3),
      ],
      [.mean, square("\(name).branch_pool", pooled, 1)],
    ])
  }

  private static func blockB(_ name: String) -> Step {
    .branches([
      [plain("\(name).branch3x3", 384, stride: 2)],
      [
        square("\(name).branch3x3dbl_1", 64, 1), square("\(name).branch3x3dbl_2", 96, 3),
        plain("\(name).branch3x3dbl_3", 96, stride: 2),
      ],
      [.greatest(stride: 2)],
    ])
  }

  private static func blockC(_ name: String, _ inner: Int) -> Step {
    .branches([
      [square("\(name).branch1x1", 192, 1)],
      [
        square("\(name).branch7x7_1", inner, 1), row("\(name).branch7x7_2", inner, 7),
        column("\(name).branch7x7_3", 192, 7),
      ],
      [
        square("\(name).branch7x7dbl_1", inner, 1), column("\(name).branch7x7dbl_2", inner, 7),
        row("\(name).branch7x7dbl_3", inner, 7), column("\(name).branch7x7dbl_4", inner, 7),
        row("\(name).branch7x7dbl_5", 192, 7),
      ],
      [.mean, square("\(name).branch_pool", 192, 1)],
    ])
  }

  private static func blockD(_ name: String) -> Step {
    .branches([
      [square("\(name).branch3x3_1", 192, 1), plain("\(name).branch3x3_2", 320, stride: 2)],
      [
        square("\(name).branch7x7x3_1", 192, 1), row("\(name).branch7x7x3_2", 192, 7),
        column("\(name).branch7x7x3_3", 192, 7), plain("\(name).branch7x7x3_4", 192, stride: 2),
      ],
      [.greatest(stride: 2)],
    ])
  }

  private static func blockE(_ name: String, pooling: Step) -> Step {
    .branches([
      [square("\(name).branch1x1", 320, 1)],
      [
        square("\(name).branch3x3_1", 384, 1),
        .branches([
          [row("\(name).branch3x3_2a", 384, 3)], [column("\(name).branch3x3_2b", 384, 3)],
        ]),
      ],
      [
        square("\(name).branch3x3dbl_1", 448, 1), square("\(name).branch3x3dbl_2", 384, 3),
        .branches([
          [row("\(name).branch3x3dbl_3a", 384, 3)], [column("\(name).branch3x3dbl_3b", 384, 3)],
        ]),
      ],
      [pooling, square("\(name).branch_pool", 192, 1)],
    ])
  }
}
