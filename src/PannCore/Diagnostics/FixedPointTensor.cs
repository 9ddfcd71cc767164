using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>Elements of a ring of 2^L, each as its representative from -2^(L-1) to 2^(L-1) - 1; it stands for Values[i] 2^-F.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Values">The representatives, row-major.</param>
public sealed record FixedPointTensor(Shape Shape, long[] Values);

/// <summary>Where values left the ring.</summary>
/// <param name="Path">Where in the network; <c>input</c> for its input.</param>
/// <param name="Op">The operation's name.</param>
/// <param name="Elements">Values that did not fit: elements of an output, or results of the instructions of a polynomial.</param>
/// <param name="RootImages">Images in which no value had left the ring before: what follows in them may be a consequence.</param>
public sealed record WrapAround(string Path, string Op, long Elements, int RootImages);
