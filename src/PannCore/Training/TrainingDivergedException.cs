namespace PannCore.Training;

/// <summary>Training has left the numbers: a loss, weight or statistic is not finite, or a learnt range is none. The message says where and what to try.</summary>
public sealed class TrainingDivergedException(string message) : ArithmeticException(message);
