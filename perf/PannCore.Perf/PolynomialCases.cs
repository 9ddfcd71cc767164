using PannCore.Approximation;
using PannCore.Ops;

namespace PannCore.Perf;

/// <summary>
/// Polynomial ReLU by specification and arithmetic: on 64 KiB a thread that stay in its cache, and streaming, at the shape of stage 1. Not in place, so that values do not
/// shrink from run to run. Bytes an element: x read and y written; backward x and dy read and dx written.
/// </summary>
internal static class PolynomialCases
{
    private static readonly string[] Specs = ["direct:4", "composite:alpha=8", "composite:7,7,27", "composite:alpha=12"];

    private static readonly PolynomialArithmetic[] Arithmetics = [PolynomialArithmetic.Float32, PolynomialArithmetic.Float64];

    public static IEnumerable<Case> All =>
        from spec in Specs
        from pass in (Pass[])[Pass.Forward, Pass.DataGradient]
        from arithmetic in Arithmetics
        from inCache in (bool[])[true, false]
        select Make(spec, pass, arithmetic, inCache);

    private static Case Make(string spec, Pass pass, PolynomialArithmetic arithmetic, bool inCache)
    {
        string name = $"{spec}, {(pass == Pass.Forward ? "forward" : "gradient")}, {arithmetic}, {(inCache ? "in cache" : "streaming")}";
        ReluPolynomial? polynomial = null;
        var operation = new Operation(name, pass, images => [new(images, 32, 32, 16)], x => x[0].PolynomialRelu(polynomial ??= ActivationSpec.Parse(spec).Build(), 1, arithmetic)) { InCache = inCache };
        double elements = operation.Elements;
        return new(name, new(Bytes: inCache ? 0 : elements * (pass == Pass.Forward ? 8 : 12), Items: elements), operation.Prepare);
    }
}
