using PannCore.Approximation;

namespace PannCore.Reports;

/// <summary>A polynomial's error as one self-contained SVG: over its range, where most inputs of a network lie, and beyond the upper end of the range.</summary>
public static class PolynomialPlot
{
    /// <summary>A curve is drawn by the least and the greatest value in each of these columns, so that ripples narrower than one show their height.</summary>
    private const int Columns = 1000;

    /// <summary>Inputs N(0, B/16) lie within B/8 of 0 in 95 of 100 cases; ResNet-20's are about so.</summary>
    private const double Usual = 0.125;

    private const double Beyond = 1.05, Shown = 2;

    /// <summary>Writes the drawing; the writer should encode UTF-8.</summary>
    public static void Write(TextWriter writer, ReluPolynomial polynomial)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        int samples = Math.Max(2, 8 * polynomial.Degree / Columns); // The ripples are as many as the degree at most, and denser towards the ends.
        double Relu(double t) => t < 0 ? polynomial.Leak * t : t;
        PlotSeries Curve(string name, double from, double to, Func<double, double> at)
            => new(name, [.. Enumerable.Range(0, Columns).SelectMany(column => Extremes([.. Enumerable.Range(0, samples + 1).Select(i => from + ((to - from) * (column + ((double)i / samples)) / Columns)).Select(t => new PlotPoint(t, at(t)))]))], Joined: true);
        PlotSeries Error(double end) => Curve("error", -end, end, t => polynomial.Evaluate(t) - Relu(t));
        double Within(double value) => Math.Abs(value) <= Shown ? value : double.NaN;
        SeriesPlot.Write(
            writer, $"What {polynomial.Spec} does", $"B r(x/B) in the place of ReLU(x); all in units of B. Proved: the error is at most {Figures.Bound(Math.Log2(polynomial.MaxError))} within [-B, B].",
            [
                new("The error over the range", "x / B", "error / B", [Error(1)]),
                new("The same where most inputs of a network lie", "x / B", "error / B", [Error(Usual)]),
                new("Just beyond the range, as far as it fits the picture", "x / B", "value / B", [Curve("polynomial", 2 - Beyond, Beyond, t => Within(polynomial.Evaluate(t))), Curve("ReLU", 2 - Beyond, Beyond, Relu)]),
            ]);
    }

    /// <summary>The least and the greatest, in their order; where no value is finite, one that is not, so that the curve ends there.</summary>
    private static IEnumerable<PlotPoint> Extremes(PlotPoint[] points)
    {
        PlotPoint[] finite = [.. points.Where(point => double.IsFinite(point.Y))];
        if (finite.Length == 0) return points[..1];
        PlotPoint least = finite.MinBy(point => point.Y)!, greatest = finite.MaxBy(point => point.Y)!;
        return least.X < greatest.X ? [least, greatest] : [greatest, least];
    }
}
