import Testing
import Training

@Suite struct LearningRateScheduleTests {
  @Test func theRateRisesThenFallsAlongACosine() {
    let schedule = LearningRateSchedule(
      shape: .cosine, peak: 2, warmUpStepCount: 4, stepCount: 105, floor: 0.1)
    #expect((0..<4).map { schedule.rate(atStep: $0) } == [0.5, 1, 1.5, 2])
    #expect(schedule.rate(atStep: 4) == 2)
    #expect(abs(schedule.rate(atStep: 54) - (0.2 + 1.8 / 2)) < 1e-12)
    #expect(abs(schedule.rate(atStep: 104) - 0.2) < 1e-12)
    #expect(abs(schedule.rate(atStep: 1000) - 0.2) < 1e-12)
  }

  @Test func aConstantRateStays() {
    let schedule = LearningRateSchedule(peak: 3, stepCount: 10)
    #expect([0, 5, 9, 100].allSatisfy { schedule.rate(atStep: $0) == 3 })
  }

  @Test func aRunOfOneStepHasARate() {
    let schedule = LearningRateSchedule(shape: .cosine, peak: 1, stepCount: 1)
    #expect(schedule.rate(atStep: 0) == 1)
  }
}
