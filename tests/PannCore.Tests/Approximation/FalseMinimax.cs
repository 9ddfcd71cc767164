using MathNet.Numerics.LinearAlgebra.Double;
using PannCore.Approximation;

namespace PannCore.Tests.Approximation;

/// <summary>
/// An exchange as it is often written: start nodes evenly spaced in log t, and errors looked at on a coarse grid of the same kind. On wide intervals it ends at a polynomial
/// that is minimax on the grid only: the points next to b are too far apart for its extremes.
/// </summary>
internal static class FalseMinimax
{
    private const int GridPoints = 40;
    private const double Converged = 1 + 1e-7;

    public static (Polynomial Polynomial, double Level, double[] Points) Sign(int degree, double a, double b)
    {
        int unknowns = (degree + 1) / 2;
        double[] grid = [.. Enumerable.Range(0, GridPoints).Select(i => Math.Clamp(a * Math.Pow(b / a, i / (GridPoints - 1.0)), a, b))];
        List<int> nodes = [.. Enumerable.Range(0, unknowns + 1).Select(j => (int)Math.Round(j * (GridPoints - 1.0) / unknowns))];
        for (int iteration = 0; iteration < 400; iteration++)
        {
            var matrix = DenseMatrix.Create(unknowns + 1, unknowns + 1, (j, k) => k == unknowns ? int.IsEvenInteger(j) ? 1 : -1 : Math.Cos(((2 * k) + 1) * Math.Acos(Math.Min(1, grid[nodes[j]] / b))));
            double[] solution = matrix.LU().Solve(DenseVector.Create(unknowns + 1, 1)).ToArray();
            var p = new Polynomial(Parity.Odd, b, solution.AsSpan(0, unknowns));
            double level = solution[unknowns];
            double[] errors = Array.ConvertAll(grid, t => p.Evaluate(t) - 1);
            int top = Enumerable.Range(0, GridPoints).MaxBy(i => Math.Abs(errors[i]));
            if (Math.Abs(errors[top]) <= Math.Abs(level) * Converged) return (p, Math.Abs(level), [.. nodes.Select(i => grid[i])]);

            // The error at node j is -(-1)^j h; the largest replaces the neighbour of its own sign.
            int left = nodes.FindLastIndex(i => i <= top);
            bool Same(int j) => errors[top] > 0 == (int.IsEvenInteger(j) ? -level : level) > 0;
            if (left < 0 && !Same(0)) nodes = [top, .. nodes[..^1]];
            else if (left == unknowns && !Same(left)) nodes = [.. nodes[1..], top];
            else if (left >= 0 && Same(left)) nodes[left] = top;
            else nodes[left + 1] = top;
        }

        throw new InvalidOperationException("the exchange on the grid did not end");
    }
}
