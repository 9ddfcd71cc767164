namespace PannCore.Approximation;

/// <summary>Runs a plan in double, one rounding per operation.</summary>
internal sealed class DoubleArithmetic : IPlanArithmetic<double>
{
    public static readonly DoubleArithmetic Instance = new();

    public double Add(double x, double y) => x + y;

    public double Subtract(double x, double y) => x - y;

    public double AddConstant(double x, double constant) => x + constant;

    public double MultiplyConstant(double x, double constant) => x * constant;

    public double Multiply(double x, double y) => x * y;
}
