namespace PannCore.Diagnostics;

/// <summary>The polynomials of a network explode in every image, answering beyond twice their range: there is nothing to measure on.</summary>
/// <param name="message">One line: where, which polynomial, over which range.</param>
public sealed class ExplodedException(string message) : BadInputException(message);
