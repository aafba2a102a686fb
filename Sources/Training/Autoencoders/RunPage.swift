/// The page about a run: which charts there are, and of what.
struct RunPage {
  let title: String
  let settings: TrainingSettings
  let step: Int
  let entries: [TrainingLog.Entry]
  let samples: TrainingReport.Picture?
  let trainingCount, validationCount: Int
  let isOver: Bool

  /// The page.
  var report: TrainingReport {
    var page = TrainingReport(title: "lvae train: \(title)")
    page.facts = facts
    page.charts = charts
    page.pictures = samples.map { [$0] } ?? []
    page.settings = settings.text
    page.refreshSeconds = isOver ? nil : 10
    return page
  }

  private var facts: [(name: String, value: String)] {
    var facts = [
      ("step", "\(step) of \(settings.train.steps)"),
      ("pictures", "\(trainingCount) to train with, \(validationCount) to validate with"),
    ]
    func add(_ name: String, _ key: String, _ unit: String) {
      guard let value = entries.last(where: { $0[key] != nil })?[key] else { return }
      facts.append((name, value.significantText + unit))
    }
    add("loss", "loss", "")
    add("validation PSNR", "validation.psnr", " dB")
    add("validation SSIM", "validation.ssim", "")
    add("active units", "validation.active_units", "")
    add("speed", "images_per_second", " images/s")
    return facts
  }

  private var charts: [LineChart] {
    [
      chart("loss", ["loss", "validation.loss"], isLogarithmic: true),
      chart("terms of the loss, without weights", termNames, isLogarithmic: true),
      chart("validation PSNR in decibels", ["validation.psnr"]),
      chart("validation SSIM", ["validation.ssim"]),
      chart(
        "KL of each channel in nats a position", names { $0.hasPrefix("kl.") },
        isLogarithmic: true),
      chart("units of the latent whose mean varies by more than 0.01", ["validation.active_units"]),
      chart("likelihood scale", ["likelihood_scale"]),
      chart("discriminator's loss", ["discriminator_loss"]),
      chart("codes in use, as perplexity", ["perplexity"]),
      chart("length of the gradient", ["gradient_norm"], isLogarithmic: true),
      chart("learning rate", ["learning_rate"]),
      chart("images a second", ["images_per_second"]),
    ].filter { !$0.series.isEmpty }
  }

  /// Names that appear in the log, in the order in which they came.
  private func names(where isWanted: (String) -> Bool) -> [String] {
    var names: [String] = []
    for entry in entries.prefix(2) + entries.suffix(2) {
      for (name, _) in entry.values where isWanted(name) && !names.contains(name) {
        names.append(name)
      }
    }
    return names
  }

  /// Terms stand in the log between `loss` and the first number that isn't one.
  private var termNames: [String] {
    let others: Set = [
      "loss", "kl_weight", "gradient_norm", "learning_rate", "images_per_second", "codes_used",
      "perplexity", "adversarial_lambda", "likelihood_scale", "discriminator_loss",
    ]
    return names { !others.contains($0) && !$0.hasPrefix("kl.") && !$0.hasPrefix("validation.") }
  }

  private func chart(
    _ title: String, _ names: [String], isLogarithmic: Bool = false
  ) -> LineChart {
    let series = names.map { LineChart.Series($0, in: entries) }.filter { !$0.points.isEmpty }
    return LineChart(title: title, series: series, isLogarithmic: isLogarithmic)
  }
}
