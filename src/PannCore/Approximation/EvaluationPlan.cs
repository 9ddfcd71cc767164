namespace PannCore.Approximation;

/// <summary>
/// A polynomial activation as a list of instructions, in the order in which a homomorphic evaluation would do them: Chebyshev polynomials of the (scaled) argument by
/// T_{a+b} = 2 T_a T_b - T_{a-b}, then the series by divisions p = q T_g + r, for each stage in turn.
/// </summary>
/// <remarks>
/// The plan of a stage has the least depth that its degree allows (degree d: log2 d rounded up), then the least levels (log2 (d + 1) rounded up), then the fewest ciphertext products
/// that a search over baby-step giant-step schemes finds. <see cref="Cost"/> comes from running it, and <see cref="Evaluate"/> runs the same list in double.
/// Source of the scheme: M. S. Paterson and L. J. Stockmeyer, 1973; in the Chebyshev basis, odd and depth-optimal, as in Lee et al. 2020 and Bossuat et al. 2021.
/// </remarks>
public sealed class EvaluationPlan
{
    private EvaluationPlan(IReadOnlyList<PlanStep> steps, int output, double inputFactor, double outputFactor, bool folded)
    {
        Steps = steps;
        Output = output;
        InputFactor = inputFactor;
        OutputFactor = outputFactor;
        var counting = new CountingArithmetic();
        Cost = counting.Cost(Run(counting, default), folded);
    }

    /// <summary>The instructions in order; instruction i makes value i + 1.</summary>
    public IReadOnlyList<PlanStep> Steps { get; }

    /// <summary>The value that is the plan's result.</summary>
    public int Output { get; }

    /// <summary>What the weights before the activation have to be multiplied by: value 0 is InputFactor t. 1 unless the leading coefficient is folded.</summary>
    public double InputFactor { get; }

    /// <summary>What the weights after the activation have to be multiplied by: r(t) is OutputFactor times the result. 1 unless the leading coefficient is folded.</summary>
    public double OutputFactor { get; }

    /// <summary>What one evaluation costs.</summary>
    public Cost Cost { get; }

    /// <summary>The plan of a ReLU polynomial on [-1, 1].</summary>
    /// <param name="polynomial">The polynomial.</param>
    /// <param name="foldLeadingCoefficient">
    /// Let the weights next to the activation take the leading coefficient, which saves a level where the degree of a direct polynomial is a power of two.
    /// </param>
    public static EvaluationPlan Of(ReluPolynomial polynomial, bool foldLeadingCoefficient = false)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        double linear = (1 + polynomial.Leak) / 2, gain = (1 - polynomial.Leak) / 2;
        var builder = new Builder();
        if (polynomial.Family == ReluFamily.Composite)
        {
            int value = 0;
            for (int i = 0; i < polynomial.Stages.Count; i++)
            {
                double factor = i < polynomial.Stages.Count - 1 ? 1 / polynomial.Stages[i + 1].HalfWidth : gain;
                value = builder.Series(value, polynomial.Stages[i].Parity, Dense(polynomial.Stages[i], factor), false);
            }

            int result = builder.Multiply(0, builder.AddConstant(value, linear));
            return new EvaluationPlan(builder.Steps, result, 1, 1, false);
        }

        double[] q = Dense(polynomial.Stages[0], gain);
        Parity parity = polynomial.Stages[0].Parity;
        double fold = foldLeadingCoefficient ? q[^1] : 1;
        for (int k = 0; k < q.Length; k++) q[k] /= fold;
        if (foldLeadingCoefficient) q[^1] = 1;
        int series = builder.Series(0, parity, q, foldLeadingCoefficient);
        series = builder.Add(series, builder.MultiplyConstant(0, linear / fold));
        return new EvaluationPlan(builder.Steps, series, 1, fold, foldLeadingCoefficient);
    }

    /// <summary>The plan of one polynomial, its argument divided by the half-width by a scalar multiplication unless that is 1.</summary>
    /// <param name="polynomial">The polynomial.</param>
    /// <param name="foldLeadingCoefficient">Leave the result to be multiplied by <see cref="OutputFactor"/>.</param>
    public static EvaluationPlan Of(Polynomial polynomial, bool foldLeadingCoefficient = false)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        var builder = new Builder();
        double[] c = Dense(polynomial, 1);
        double fold = foldLeadingCoefficient ? c[^1] : 1;
        for (int k = 0; k < c.Length; k++) c[k] /= fold;
        int argument = builder.MultiplyConstant(0, 1 / polynomial.HalfWidth);
        int output = builder.Series(argument, polynomial.Parity, c, foldLeadingCoefficient);
        return new EvaluationPlan(builder.Steps, output, 1, fold, foldLeadingCoefficient);
    }

    /// <summary>r(t) by the instructions of the plan, in double.</summary>
    public double Evaluate(double t) => OutputFactor * Run(DoubleArithmetic.Instance, InputFactor * t);

    /// <summary>Runs the plan in any arithmetic.</summary>
    /// <param name="arithmetic">The arithmetic.</param>
    /// <param name="input">Value 0.</param>
    /// <returns>The value <see cref="Output"/>.</returns>
    public T Run<T>(IPlanArithmetic<T> arithmetic, T input)
    {
        T[] values = new T[Steps.Count + 1];
        values[0] = input;
        for (int i = 0; i < Steps.Count; i++)
        {
            (PlanOperation operation, int x, int y, double c) = Steps[i];
            values[i + 1] = operation switch
            {
                PlanOperation.Add => arithmetic.Add(values[x], values[y]),
                PlanOperation.Subtract => arithmetic.Subtract(values[x], values[y]),
                PlanOperation.AddConstant => arithmetic.AddConstant(values[x], c),
                PlanOperation.MultiplyConstant => arithmetic.MultiplyConstant(values[x], c),
                _ => arithmetic.Multiply(values[x], values[y]),
            };
        }

        return values[Output];
    }

    /// <summary>factor times the coefficient of T_k for every k up to the last that is not zero; at least one.</summary>
    private static double[] Dense(Polynomial polynomial, double factor)
    {
        double[] dense = new double[polynomial.Degree + 1];
        for (int k = 0; k < polynomial.Coefficients.Count; k++)
        {
            int index = polynomial.Parity switch { Parity.Odd => 2 * k + 1, Parity.Even => 2 * k, _ => k };
            dense[index] = factor * polynomial.Coefficients[k];
        }

        int last = Array.FindLastIndex(dense, c => c != 0);
        return dense[..Math.Max(last + 1, 1)];
    }

    /// <summary>Writes instructions; a value of <see cref="Nothing"/> is zero and costs none.</summary>
    private sealed class Builder
    {
        private const int Nothing = -1;

        private readonly List<PlanStep> _steps = [];

        public IReadOnlyList<PlanStep> Steps => _steps.AsReadOnly();

        public int Add(int x, int y)
            => x == Nothing ? y : y == Nothing ? x : Append(new PlanStep(PlanOperation.Add, x, y, 0));

        public int AddConstant(int x, double c)
            => c == 0 ? x : Append(new PlanStep(PlanOperation.AddConstant, x, -1, c));

        public int Multiply(int x, int y) => Append(new PlanStep(PlanOperation.Multiply, x, y, 0));

        public int MultiplyConstant(int x, double c)
        {
            if (c == 0) return Nothing;
            for (int doubled = x; ; doubled = Add(doubled, doubled))
            {
                if (c == 1) return doubled;
                if (c != 2 && c != 4 && c != 8 && c != 16 && c != 32 && c != 64 && c != 128) break;
                c /= 2;
            }

            return Append(new PlanStep(PlanOperation.MultiplyConstant, x, -1, c));
        }

        /// <summary>sum c_k T_k(argument).</summary>
        public int Series(int argument, Parity parity, double[] c, bool integerLead)
        {
            int degree = c.Length - 1;
            if (degree == 0) return AddConstant(MultiplyConstant(argument, 1), c[0]);
            ChebyshevSplitting splitting = ChebyshevSplitting.Find(degree, parity, integerLead);
            Dictionary<int, int> powers = new() { [1] = argument };
            (int value, double constant) = Part(c, parity, splitting.Depth, splitting.Levels, integerLead);
            return AddConstant(value, constant);

            (int Value, double Constant) Part(double[] c, Parity parity, int depth, int levels, bool integerLead)
            {
                int n = c.Length - 1;
                if (n <= 0) return (Nothing, n < 0 ? 0 : c[0]);
                int g = splitting.Divisor(n, parity, depth, levels, integerLead);
                if (g == 0)
                {
                    double[] below = c[..(Math.Max(ChebyshevSplitting.Below(n, parity), 0) + 1)];
                    (int rest, double constant) = Part(below, parity, depth, levels, false);
                    return (Add(c[n] == 0 ? Nothing : MultiplyConstant(Power(n), c[n]), rest), constant);
                }

                double[] quotient = new double[n - g + 1], remainder = c[..g];
                quotient[0] = c[g];
                for (int j = 1; j <= n - g; j++)
                {
                    quotient[j] = 2 * c[g + j];
                    remainder[g - j] -= c[g + j];
                }

                (int q, double first) = Part(quotient, ChebyshevSplitting.Quotient(parity, g), depth - 1, levels - 1, integerLead);
                (int r, double last) = Part(remainder[..(Math.Max(ChebyshevSplitting.Below(g, parity), 0) + 1)], parity, depth, levels, false);
                int product = q == Nothing
                    ? MultiplyConstant(first == 0 ? 0 : Power(g), first)
                    : Multiply(AddConstant(q, first), Power(g));
                return (Add(product, r), last);
            }

            int Power(int k)
            {
                if (powers.TryGetValue(k, out int value)) return value;
                (int a, int b) = splitting.Factors(k);
                int product = Multiply(Power(a), Power(b));
                product = Add(product, product);
                product = a == b ? AddConstant(product, -1) : Append(new PlanStep(PlanOperation.Subtract, product, Power(a - b), 0));
                return powers[k] = product;
            }
        }

        private int Append(PlanStep step)
        {
            _steps.Add(step);
            return _steps.Count;
        }
    }
}
