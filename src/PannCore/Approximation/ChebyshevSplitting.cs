namespace PannCore.Approximation;

/// <summary>
/// How a Chebyshev series of a given degree and parity is best evaluated: which T_k are made, and where the series and its parts are divided by one of them.
/// Found by search for the least depth, then the least levels, then the fewest ciphertext products.
/// </summary>
/// <remarks>
/// <para>
/// A part of degree n is either <em>peeled</em>, c_n T_n + rest, if T_n is made, or <em>divided</em>, p = q T_g + r with g &lt; n &lt;= 2g, one product
/// (r has degree below g because T_{g+j} = 2 T_g T_j - T_{g-j}). For a given set of T_k the best choice is found by dynamic programming over
/// (degree, parity, levels left); over sets by local search from baby-step giant-step sets: every T_k up to m of the parity, with g 2^j.
/// Baby-step giant-step with any sizes, Paterson-Stockmeyer division and the depth-optimal splitting of the leading block are all such choices.
/// </para>
/// <para>
/// A constant times T_k costs a level, so the leading part is split further than the depth alone asks: c T_3 = (2 c T_1) T_2 - c T_1 needs two levels, c (T_3) three.
/// If the leading coefficient is an integer it costs none: degree 2^k then needs k levels instead of k + 1.
/// </para>
/// </remarks>
internal sealed class ChebyshevSplitting
{
    private const int Infeasible = 1 << 20;
    private const int MostBabySteps = 40;
    private const int MostNeighbours = 1000;

    private readonly int[] _powerLevels; // of T_k; -1 where it is not made
    private readonly (int First, int Second)[] _factors;
    private readonly int[] _powers;
    private readonly bool _complete;
    private readonly Dictionary<(int Degree, Parity Parity, int Depth, int Levels, bool IntegerLead), (int Products, int Divisor)> _memo = [];

    private ChebyshevSplitting(int degree, int[] powers)
    {
        _powers = powers;
        _powerLevels = new int[degree + 1];
        _factors = new (int, int)[degree + 1];
        Array.Fill(_powerLevels, -1);
        _powerLevels[1] = 0;
        foreach (int k in powers)
        {
            int best = int.MaxValue;
            for (int a = (k + 1) / 2; a < k; a++)
            {
                int b = k - a, difference = a - b;
                if (_powerLevels[a] < 0 || _powerLevels[b] < 0 || (difference > 0 && _powerLevels[difference] < 0)) continue;
                int level = Math.Max(_powerLevels[a], _powerLevels[b]) + 1;
                if (level < best) (best, _factors[k]) = (level, (a, b));
            }

            if (best == int.MaxValue) return;
            _powerLevels[k] = best;
        }

        _complete = true;
    }

    /// <summary>Non-scalar depth of the whole.</summary>
    public int Depth { get; private init; }

    /// <summary>Levels of the whole.</summary>
    public int Levels { get; private init; }

    /// <summary>Ciphertext products of the whole if no coefficient vanishes.</summary>
    public int Products { get; private set; } = Infeasible;

    /// <summary>The best splitting found.</summary>
    /// <param name="degree">At least 1.</param>
    /// <param name="parity">Of the series.</param>
    /// <param name="integerLead">Whether the leading coefficient is a small integer, free of levels.</param>
    public static ChebyshevSplitting Find(int degree, Parity parity, bool integerLead)
    {
        ChebyshevSplitting? best = null;
        HashSet<string> seen = [];
        Queue<int[]> equals = [];
        foreach (int[] seed in Seeds(degree, parity)) Consider(seed);
        int last = seen.Count + MostNeighbours;
        while (seen.Count < last && equals.TryDequeue(out int[]? centre))
        {
            foreach (int[] neighbour in Neighbours(centre)) Consider(neighbour);
        }

        return best!;

        // Keeps the best and, for the local search, every set as good.
        void Consider(int[] powers)
        {
            if (powers.Length > best?.Products || !seen.Add(string.Join(',', powers)) || Using(powers, degree, parity, integerLead) is not { } candidate) return;
            if (best is null || candidate.Products < best.Products)
            {
                best = candidate;
                equals.Clear();
            }

            if (candidate.Products == best.Products) equals.Enqueue(powers);
        }

        IEnumerable<int[]> Neighbours(int[] centre)
        {
            for (int k = 2; k <= degree; k += parity == Parity.Even ? 2 : 1)
                yield return centre.Contains(k) ? [.. centre.Where(other => other != k)] : [.. centre.Append(k).Order()];
        }
    }

    /// <summary>
    /// The best splitting that makes the given T_k, 2 and above in ascending order, with the least depth and levels of all splittings; null if one of them cannot be made
    /// from those before it. <see cref="Products"/> is huge if they do not suffice.
    /// </summary>
    public static ChebyshevSplitting? Using(int[] powers, int degree, Parity parity, bool integerLead)
    {
        // The least possible: a product at most doubles the degree, and a non-integer leading coefficient needs a level like another factor.
        var splitting = new ChebyshevSplitting(degree, powers)
        {
            Depth = CeilingLog2(degree),
            Levels = CeilingLog2(integerLead ? degree : degree + 1),
        };
        if (!splitting._complete) return null;
        splitting.Products = powers.Length + splitting.Best(degree, parity, splitting.Depth, splitting.Levels, integerLead).Products;
        return splitting;
    }

    /// <summary>The factors (a, b), a >= b, of T_k = 2 T_a T_b - T_{a-b}.</summary>
    public (int A, int B) Factors(int k) => _factors[k];

    /// <summary>The g by which a part is divided; 0 if its leading term is peeled.</summary>
    public int Divisor(int degree, Parity parity, int depth, int levels, bool integerLead)
        => Best(degree, parity, depth, levels, integerLead).Divisor;

    /// <summary>The parity of q in p = q T_g + r.</summary>
    public static Parity Quotient(Parity parity, int divisor) => parity == Parity.None || int.IsEvenInteger(divisor)
        ? parity
        : parity == Parity.Odd ? Parity.Even : Parity.Odd;

    /// <summary>The largest degree of the parity below the given one; 0 or less if only a constant or nothing is left.</summary>
    public static int Below(int degree, Parity parity)
        => parity == Parity.None || int.IsEvenInteger(degree) != (parity == Parity.Even) ? degree - 1 : degree - 2;

    private static int CeilingLog2(int n) => n <= 1 ? 0 : int.Log2(n - 1) + 1;

    /// <summary>Baby steps 1..m of the parity and the powers of two among them, with giant steps g, 2g, 4g... up to any, halved down to make the first.</summary>
    private static IEnumerable<int[]> Seeds(int degree, Parity parity)
    {
        int step = parity == Parity.None ? 1 : 2;
        for (int m = 1; m <= Math.Min(degree, MostBabySteps); m += step)
        {
            SortedSet<int> babies = m > 1 ? [2] : [];
            for (int k = parity == Parity.Odd ? 3 : 2; k <= m; k += step) babies.Add(k);
            yield return [.. babies];
            for (int k = 4; k <= m; k *= 2) babies.Add(k);
            yield return [.. babies];
            for (int g = 2; g <= Math.Min(degree, 2 * m + 2); g += step)
            {
                SortedSet<int> powers = [.. babies];
                for (int k = g; k > 1; k = int.IsEvenInteger(k) ? k / 2 : 1) powers.Add(k);
                for (int k = g; k <= degree; k *= 2)
                {
                    powers.Add(k);
                    yield return [.. powers];
                }
            }
        }
    }

    private (int Products, int Divisor) Best(int degree, Parity parity, int depth, int levels, bool integerLead)
    {
        if (degree <= 0) return (0, 0);
        if (depth < 0 || levels < 0) return (Infeasible, 0);
        var key = (degree, parity, depth, levels, integerLead);
        if (_memo.TryGetValue(key, out (int, int) known)) return known;

        (int Products, int Divisor) best = (Infeasible, 0);
        if (_powerLevels[degree] is >= 0 and int level && level <= depth && level + (integerLead ? 0 : 1) <= levels)
            best = (Best(Below(degree, parity), parity, depth, levels, false).Products, 0);
        foreach (int g in _powers.Prepend(1))
        {
            if (g >= degree || degree > 2 * g || _powerLevels[g] >= Math.Min(depth, levels)) continue;
            int products = 1 + Best(degree - g, Quotient(parity, g), depth - 1, levels - 1, integerLead).Products;
            if (products < best.Products) products += Best(Below(g, parity), parity, depth, levels, false).Products;
            if (products < best.Products) best = (products, g);
        }

        return _memo[key] = best;
    }
}
