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
    // Scaling a stage magnifies the rounding of a fixed-point evaluation by at most about the inverse root of its leading coefficient: up to 8 bits are let go for a product.
    private const double SmallestScaledLead = 1.0 / 65536;

    private EvaluationPlan(IReadOnlyList<PlanStep> steps, int output, double inputFactor, double outputFactor)
    {
        Steps = steps;
        Output = output;
        InputFactor = inputFactor;
        OutputFactor = outputFactor;
        var counting = new CountingArithmetic();
        Cost = counting.Cost(Run(counting, default), folded: inputFactor != 1 || outputFactor != 1);
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
    /// Let the weights next to the activation take <see cref="InputFactor"/> and <see cref="OutputFactor"/>. It saves a level where the degree of a direct polynomial is a
    /// power of two, but from 16 on costs one product to three there: 16 takes 6 instead of 5, 256 takes 28 instead of 25. It saves a product in the first stage of some composites and in direct
    /// polynomials of degree 12, 14, 20, 30, 58, 62, 122, 126, 242, 250 and 254, and none elsewhere.
    /// </param>
    public static EvaluationPlan Of(ReluPolynomial polynomial, bool foldLeadingCoefficient = false)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        double linear = (1 + polynomial.Leak) / 2, gain = (1 - polynomial.Leak) / 2;
        return polynomial.Family switch
        {
            ReluFamily.Composite => Composite(polynomial.Stages, linear, gain, foldLeadingCoefficient),
            ReluFamily.Direct => Single(polynomial.Stages[0], linear, gain, foldLeadingCoefficient),
            _ => Single(polynomial.Stages[0], 0, 1, foldLeadingCoefficient),
        };
    }

    /// <summary>The plan of one polynomial.</summary>
    /// <param name="polynomial">
    /// The polynomial. Scaling the argument by the inverse of its basis's half-width costs a multiplication and a level, or additions only where that inverse is a power of two from 1 to 128.
    /// </param>
    /// <param name="foldLeadingCoefficient">
    /// Let the neighbours take the half-width (<see cref="InputFactor"/>) and the leading coefficient (<see cref="OutputFactor"/>).
    /// </param>
    public static EvaluationPlan Of(Polynomial polynomial, bool foldLeadingCoefficient = false)
    {
        ArgumentNullException.ThrowIfNull(polynomial);
        return Single(polynomial, 0, 1, foldLeadingCoefficient);
    }

    /// <summary>t (linear + gain p_k(... p_1(t))).</summary>
    private static EvaluationPlan Composite(IReadOnlyList<Polynomial> stages, double linear, double gain, bool fold)
    {
        double[][] series = new double[stages.Count][];
        double[] scales = new double[stages.Count];
        for (int i = stages.Count - 1; i >= 0; i--)
        {
            series[i] = Dense(stages[i], gain);
            scales[i] = i > 0 || fold ? Scale(series[i]) : 1;
            gain = scales[i] / stages[i].HalfWidth;
        }

        double inputFactor = fold ? gain : 1;
        var builder = new Builder();
        int value = builder.MultiplyConstant(0, gain / inputFactor);
        for (int i = 0; i < stages.Count; i++) value = builder.Series(value, series[i], scales[i]);
        int result = builder.Multiply(0, builder.AddConstant(value, linear));
        return new EvaluationPlan(builder.Steps, result, inputFactor, 1 / inputFactor);
    }

    /// <summary>linear t + gain p(t).</summary>
    private static EvaluationPlan Single(Polynomial polynomial, double linear, double gain, bool fold)
    {
        double[] c = Dense(polynomial, gain);
        double inputFactor = fold ? 1 / polynomial.HalfWidth : 1, outputFactor = fold && c.Length > 1 ? c[^1] : 1;
        for (int k = 0; k < c.Length; k++) c[k] /= outputFactor;
        linear /= inputFactor * outputFactor;

        // What is even but for one linear term is cheaper in two parts.
        if (c.Length > 2 && c.Where((value, k) => int.IsOddInteger(k) && k > 1 && value != 0).FirstOrDefault() == 0 && polynomial.Centre == 0)
        {
            linear += c[1] / (inputFactor * polynomial.HalfWidth);
            c[1] = 0;
        }

        var builder = new Builder();
        int argument = builder.MultiplyConstant(0, 1 / (inputFactor * polynomial.HalfWidth));
        argument = builder.AddConstant(argument, -polynomial.Centre / polynomial.HalfWidth);
        int value = builder.Add(builder.Series(argument, c, 1), builder.MultiplyConstant(0, linear));
        return new EvaluationPlan(builder.Steps, value, inputFactor, outputFactor);
    }

    /// <summary>
    /// The factor of the argument that makes the leading coefficient of an odd series 1, if that saves a product; 1 if it does not. The stage before folds it.
    /// </summary>
    private static double Scale(double[] c)
    {
        int degree = c.Length - 1;
        return ParityOf(c) == Parity.Odd && Math.Abs(c[^1]) is >= SmallestScaledLead and <= 1
            && ChebyshevSplitting.Find(degree, Parity.Odd, true).Products < ChebyshevSplitting.Find(degree, Parity.Odd, false).Products
            ? Math.CopySign(Math.Pow(Math.Abs(c[^1]), 1.0 / degree), c[^1])
            : 1;
    }

    private static Parity ParityOf(double[] c)
        => c.Where((value, k) => int.IsEvenInteger(k) && value != 0).FirstOrDefault() == 0 ? Parity.Odd
        : c.Where((value, k) => int.IsOddInteger(k) && value != 0).FirstOrDefault() == 0 ? Parity.Even
        : Parity.None;

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

        /// <summary>c x, by doubling where that is possible.</summary>
        public int MultiplyConstant(int x, double c)
        {
            if (c == 0) return Nothing;
            int doublings = Doublings(c);
            if (doublings < 0) return Append(new PlanStep(PlanOperation.MultiplyConstant, x, -1, c));
            for (; doublings > 0; doublings--) x = Add(x, x);
            return x;
        }

        /// <summary>sum c_k T_k(s), the argument being scale s; by <c>Y_k = scale^k T_k</c> and <c>Y_{a+b} = 2 Y_a Y_b - scale^{2b} Y_{a-b}</c>.</summary>
        public int Series(int argument, double[] coefficients, double scale)
        {
            int degree = coefficients.Length - 1;
            if (degree == 0) return Constant(argument, coefficients[0]);
            double[] c = coefficients.Select((value, k) => value / Math.Pow(scale, k)).ToArray();
            if (scale != 1) c[degree] = 1;
            Parity parity = ParityOf(c);
            bool integerLead = Doublings(c[degree]) >= 0;
            ChebyshevSplitting splitting = ChebyshevSplitting.Find(degree, parity, integerLead);
            Dictionary<int, int> powers = new() { [1] = argument };
            (int value, double constant) = Part(c, parity, splitting.Depth, splitting.Levels, integerLead);
            return AddConstant(value, constant);

            (int Value, double Constant) Part(double[] c, Parity parity, int depth, int levels, bool integerLead)
            {
                int n = c.Length - 1;
                if (n == 0) return (Nothing, c[0]);
                int g = splitting.Divisor(n, parity, depth, levels, integerLead);
                if (g == 0)
                {
                    (int rest, double constant) = Part(Below(n), parity, depth, levels, false);
                    return (Add(c[n] == 0 ? Nothing : MultiplyConstant(Power(n), c[n]), rest), constant);
                }

                double[] quotient = new double[n - g + 1];
                quotient[0] = c[g];
                for (int j = 1; j <= n - g; j++)
                {
                    quotient[j] = 2 * c[g + j];
                    c[g - j] -= Math.Pow(scale, 2 * j) * c[g + j];
                }

                (int q, double first) = Part(quotient, ChebyshevSplitting.Quotient(parity, g), depth - 1, levels - 1, integerLead);
                (int r, double last) = Part(Below(g), parity, depth, levels, false);
                int product = q != Nothing ? Multiply(AddConstant(q, first), Power(g))
                    : first != 0 ? MultiplyConstant(Power(g), first)
                    : Nothing;
                return (Add(product, r), last);

                double[] Below(int degree) => c[..(Math.Max(ChebyshevSplitting.Below(degree, parity), 0) + 1)];
            }

            int Power(int k)
            {
                if (powers.TryGetValue(k, out int value)) return value;
                (int a, int b) = splitting.Factors(k);
                int product = Multiply(Power(a), Power(b));
                product = Add(product, product);
                double factor = Math.Pow(scale, 2 * b);
                product = a == b ? AddConstant(product, -factor) : Subtract(product, MultiplyConstant(Power(a - b), factor));
                return powers[k] = product;
            }
        }

        /// <summary>The same constant for every input.</summary>
        private int Constant(int x, double c) => AddConstant(Subtract(x, x), c);

        private int Subtract(int x, int y) => Append(new PlanStep(PlanOperation.Subtract, x, y, 0));

        /// <summary>k if c = 2^k with k from 0 to 7, otherwise -1.</summary>
        private static int Doublings(double c) => c is 1 or 2 or 4 or 8 or 16 or 32 or 64 or 128 ? Math.ILogB(c) : -1;

        private int Append(PlanStep step)
        {
            _steps.Add(step);
            return _steps.Count;
        }
    }
}
