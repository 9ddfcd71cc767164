using PannCore.Approximation;
using PannCore.Engine;

namespace PannCore.Perf;

/// <summary>
/// Making polynomials, on one thread: the exchange alone, the certificate alone (its errors in other arithmetics and out of range included), the evaluation plan, the search for
/// degrees, and the whole frontier. Each is checked against what is known of its result before it is timed.
/// </summary>
internal static class ApproximationCases
{
    /// <summary>log2 of the maximum error that the exchange must reach, to a hundredth.</summary>
    private static readonly (string Spec, double Log2Error)[] Specs = [("composite:alpha=9", -9.01), ("composite:alpha=14", -14.06), ("direct:64", -8.84), ("direct:256", -10.84)];

    public static IEnumerable<Case> All =>
    [
        .. Specs.Select(s => Make($"{s.Spec}, exchange", () => Exchange(ActivationSpec.Parse(s.Spec)), _ => Check(s.Spec, s.Log2Error))),
        .. Specs.Select(s =>
        {
            ReluPolynomial? polynomial = null;
            return Make($"{s.Spec}, certificate", () => Certify(polynomial ??= ActivationSpec.Parse(s.Spec).Build()), proof =>
            {
                if (!proof.Passed) throw new InvalidOperationException($"{s.Spec}: {proof.Objection}");
            });
        }),
        .. Specs.Select(s =>
        {
            ReluPolynomial? polynomial = null;
            return Make($"{s.Spec}, plan", () => EvaluationPlan.Of(polynomial ??= ActivationSpec.Parse(s.Spec).Build()), plan =>
            {
                if (Math.Abs(plan.Evaluate(0.3) - polynomial!.Evaluate(0.3)) > 1e-9) throw new InvalidOperationException($"{s.Spec}: the plan computes something else");
            });
        }),
        Make("search, alpha 12, least depth", () => new CompositeSearch().LeastDepth(12), degrees =>
        {
            if (ReluPolynomial.Composite(degrees).MaxError > double.Exp2(-12)) throw new InvalidOperationException("the search found less than it was asked for");
        }),
        Make("frontier", () => Frontier.Of(Frontier.Candidates(), [.. new double[] { 8, 16, 64 }.Select(InputDensity.Gaussian)], 1), frontier =>
        {
            if (frontier.Rows.Count < 50) throw new InvalidOperationException($"a frontier of {frontier.Rows.Count} polynomials");
        }),
    ];

    private static Case Make<T>(string name, Func<T> work, Action<T> check) => new(name, default, () =>
    {
        var workspace = new Workspace(1);
        check(work());
        return new PreparedCase(workspace.Workers, () => work(), workspace);
    });

    private static IReadOnlyList<RemezResult> Exchange(ActivationSpec spec)
        => spec.Kind == ActivationKind.Composite ? CompositeSign.Tune(spec.Degrees) : [Remez.AbsoluteValue(spec.Degrees[0])];

    private static Certificate Certify(ReluPolynomial polynomial)
    {
        var certificate = Certificate.Of(polynomial, polynomial.Certificate.Stages);
        _ = certificate.Evaluation;
        _ = certificate.OutOfRange;
        return certificate;
    }

    private static void Check(string spec, double log2Error)
    {
        double found = Math.Log2(ActivationSpec.Parse(spec).Build().MaxError);
        if (Math.Abs(found - log2Error) > 0.01) throw new InvalidOperationException(FormattableString.Invariant($"{spec}: maximum error 2^{found:F3}, expected 2^{log2Error}"));
    }
}
