using PannCore.Approximation;
using PannCore.Data;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Images of a set, and what they are called.</summary>
/// <param name="Data">The set.</param>
/// <param name="Indices">Which of its images.</param>
/// <param name="Words">For instance <c>images 0 to 499 of cifar-10-sample.bin</c>.</param>
public sealed record AdviceImages(Cifar10 Data, int[] Indices, string Words);

/// <summary>Chooses a polynomial for each activation: the least cost within a stated loss of accuracy.</summary>
/// <remarks>
/// <list type="number">
/// <item>The cheapest candidate that stays within the loss at every activation alike: what one would do without advice, and where the search begins.</item>
/// <item>Each candidate at each activation alone, all others ideal: what it does to the margin of the ideal network's predictions, as a mean square. Errors of different activations
/// are nearly uncorrelated, so that these squares add up, as costs do: a separable problem, whose Lagrangian solutions come one after the other by moving, from the finest
/// candidates on, always the activation with the least damage for the cost saved. The cheapest of them that stays within the loss when all are in place is found by bisection.</item>
/// <item>What adds up only nearly is put right by trials of whole networks: single activations are made cheaper as long as the loss allows it; then one is made finer
/// where that allows two others, or one by more, to become cheaper.</item>
/// </list>
/// Among hundreds of networks some are within the loss by luck: a handful of images near the edge decides, wrong answers become right by chance, and the search would find just those networks.
/// So each network is measured by what its errors do to right answers of such a margin on average, and wrong answers that become right are not counted (<see cref="AdviceScore.ExpectedLoss"/>).
/// </remarks>
public sealed class PrecisionAdvice
{
    private const int MostTrials = 120, StepsAboveUniform = 2, MostImagesAlone = 250, Neighbours = 25;

    private readonly ResNet _pann;
    private readonly ReluPolynomial[] _polynomials;
    private readonly Cost[] _costs;
    private readonly ActivationSpec[] _candidates;
    private readonly ActivationFunction.Polynomial[] _places;
    private readonly int[] _elements;
    private readonly AdviceGoal _goal;
    private readonly AdviceImages _choosing;
    private readonly Normalization _normalization;
    private readonly Workspace _workspace;
    private readonly CancellationToken _cancellation;
    private readonly IProgress<int>? _progress;
    private readonly double _loss;
    private readonly Evaluation _ideal;
    private readonly Dictionary<string, bool> _known = [];
    private int _evaluations;

    private PrecisionAdvice(
        ResNet pann, IReadOnlyList<ActivationSpec> candidates, AdviceGoal goal, double loss, AdviceImages choosing, Normalization normalization, Workspace workspace,
        IProgress<int>? progress, CancellationToken cancellation)
    {
        (_pann, _goal, _choosing, _normalization, _workspace, _progress, _cancellation) = (pann, goal, choosing, normalization, workspace, progress, cancellation);
        _places = [.. pann.Activations.Select(a => a.Function as ActivationFunction.Polynomial ?? throw new ArgumentException($"{a.Path} has no polynomial, and so no range", nameof(pann)))];
        _candidates = [.. candidates];
        _polynomials = [.. candidates.Select(spec => spec.Build())];
        _costs = [.. _polynomials.Select(polynomial => EvaluationPlan.Of(polynomial).Cost)];
        var elements = NetworkCost.Of(pann, Cifar10.OneImage, workspace).Operations.ToDictionary(operation => operation.Path, operation => operation.Elements);
        _elements = [.. pann.Activations.Select(activation => elements[activation.Path])];
        _loss = loss;
        _ideal = Run(pann.Ideal(), choosing);
    }

    /// <summary>About how many networks advice runs, for a progress display.</summary>
    public static int Steps(int activations, int candidates) => (activations * candidates) + MostTrials;

    /// <summary>The advice.</summary>
    /// <param name="pann">A network with polynomials, whichever, at all activations: their ranges are kept.</param>
    /// <param name="candidates">Polynomials to choose from.</param>
    /// <param name="goal">What to keep least.</param>
    /// <param name="loss">Points of accuracy that may be lost against the ideal network.</param>
    /// <param name="choosing">Images to choose by.</param>
    /// <param name="judging">Images to judge the choice by: none of the former.</param>
    /// <param name="normalization">The normalisation the network was trained with.</param>
    /// <param name="workspace">Threads and memory.</param>
    /// <param name="progress">Told the number of networks run.</param>
    /// <param name="cancellation">Stops between batches.</param>
    /// <exception cref="ArgumentException">An activation has no polynomial.</exception>
    /// <exception cref="BadInputException">No candidate stays within the loss, not even at every activation alike.</exception>
    public static AdviceRecord Of(
        ResNet pann, IReadOnlyList<ActivationSpec> candidates, AdviceGoal goal, double loss, AdviceImages choosing, AdviceImages judging, Normalization normalization, Workspace workspace,
        IProgress<int>? progress = null, CancellationToken cancellation = default)
    {
        var advice = new PrecisionAdvice(pann, candidates, goal, loss, choosing, normalization, workspace, progress, cancellation);
        (int uniform, int[] chosen, double[,] damage) = advice.Choose();

        Evaluation idealJudged = advice.Run(pann.Ideal(), judging);
        int[] all = [.. Enumerable.Repeat(uniform, advice._places.Length)];
        AdviceTrial ideal = new("ideal", 0, 0, 0, 0, Score(advice._ideal, advice._ideal, choosing), Score(idealJudged, idealJudged, judging));
        return new(
            goal, loss, choosing.Words, judging.Words, ideal,
            advice.Trial(advice._candidates[uniform].ToString(), all, idealJudged, judging), advice.Trial("advice", chosen, idealJudged, judging), advice._evaluations,
            [.. pann.Activations.Select((activation, k) => new AdvisedActivation(
                activation.Path, advice._candidates[chosen[k]].ToString(), Math.Log2(advice._polynomials[chosen[k]].MaxError), advice._costs[chosen[k]].Levels,
                advice.Products(k, chosen[k]), Math.Sqrt(damage[k, chosen[k]])))]);
    }

    private (int Uniform, int[] Chosen, double[,] Damage) Choose()
    {
        int layers = _places.Length;
        int[] byCost = [.. Enumerable.Range(0, _candidates.Length).OrderBy(UniformCost).ThenBy(c => _polynomials[c].MaxError)];
        int uniform = byCost.FirstOrDefault(c => Within([.. Enumerable.Repeat(c, layers)]), -1);
        if (uniform < 0)
        {
            int finest = byCost.MinBy(c => _polynomials[c].MaxError);
            throw new BadInputException(FormattableString.Invariant(
                $"advice: even {_candidates[finest]} at every activation is expected to lose more than {_loss:G4} points on {_choosing.Words}; allow a larger loss or give finer polynomials"));
        }

        // Much finer ones than the uniform choice are never worth their price.
        long[] prices = [.. byCost.Select(UniformCost).Distinct()];
        long dearest = prices[Math.Min(prices.Length - 1, Array.IndexOf(prices, UniformCost(uniform)) + StepsAboveUniform)];
        int[] considered = [.. byCost.Where(c => UniformCost(c) <= dearest)];
        double[,] damage = Damages(considered);
        int[][] fronts = [.. Enumerable.Range(0, layers).Select(k => Front(k, considered, damage))];

        int[] alike = [.. Enumerable.Repeat(uniform, layers)];
        int[] chosen = CheapestOfChain(fronts, damage) is { } mixed && Total(mixed) < Total(alike) ? mixed : alike;
        return (uniform, Improved(chosen, fronts, damage), damage);
    }

    /// <summary>Mean square change of the ideal prediction's margin by each candidate at each activation alone.</summary>
    private double[,] Damages(int[] considered)
    {
        double[,] damage = new double[_places.Length, _candidates.Length];
        string[] paths = [.. _pann.Activations.Select(activation => activation.Path)];
        AdviceImages few = _choosing with { Indices = _choosing.Indices[..Math.Min(MostImagesAlone, _choosing.Indices.Length)] };
        for (int k = 0; k < paths.Length; k++)
        {
            foreach (int c in considered)
            {
                string path = paths[k];
                ActivationFunction function = At(k, c);
                Evaluation alone = Run(_pann.With(p => p == path ? function : _places[Array.IndexOf(paths, p)].Ideal), few);
                damage[k, c] = MarginSquares(alone);
            }
        }
        return damage;
    }

    private double MarginSquares(Evaluation other)
    {
        int classes = other.Logits.Length / other.Predictions.Length;
        double sum = 0;
        for (int n = 0; n < other.Predictions.Length; n++)
        {
            if (_ideal.Predictions[n] < 0) continue;
            // What is no number is the worst damage of all.
            if (other.Predictions[n] < 0) return double.PositiveInfinity;
            double change = Margin(other.Logits.AsSpan(n * classes, classes), _ideal.Predictions[n]) - Margin(_ideal.Logits.AsSpan(n * classes, classes), _ideal.Predictions[n]);
            sum += change * change;
        }
        return sum / other.Predictions.Length;
    }

    /// <summary>The candidates for one activation that nothing beats in both cost and damage, dear to cheap.</summary>
    private int[] Front(int layer, int[] considered, double[,] damage)
    {
        var front = new List<int>();
        foreach (int c in considered.OrderBy(c => CostAt(layer, c)).ThenBy(c => damage[layer, c]))
        {
            if (front.Count == 0 || damage[layer, c] < damage[layer, front[^1]]) front.Add(c);
        }
        front.Reverse();
        return [.. front];
    }

    /// <summary>The cheapest of the Lagrangian solutions that stays within the loss; null if the finest candidates everywhere do not.</summary>
    private int[]? CheapestOfChain(int[][] fronts, double[,] damage)
    {
        List<int[]> chain = [[.. fronts.Select(front => front[0])]];
        while (true)
        {
            (int layer, int candidate, double slope) = (-1, -1, double.PositiveInfinity);
            for (int k = 0; k < fronts.Length; k++)
            {
                int now = chain[^1][k];
                // A step may skip candidates: the next corner of the lower convex hull is the one of least slope.
                foreach (int next in fronts[k].SkipWhile(c => c != now).Skip(1))
                {
                    double s = (damage[k, next] - damage[k, now]) / (CostAt(k, now) - CostAt(k, next));
                    if (s < slope) (layer, candidate, slope) = (k, next, s);
                }
            }
            if (layer < 0) break;
            int[] cheaper = [.. chain[^1]];
            cheaper[layer] = candidate;
            chain.Add(cheaper);
        }

        int good = 0, bad = chain.Count;
        while (bad - good > 1)
        {
            int middle = (good + bad) / 2;
            if (Within(chain[middle])) good = middle;
            else bad = middle;
        }
        // Errors that are small alone can add up.
        return good > 0 || Within(chain[0]) ? chain[good] : null;
    }

    /// <summary>Local search: single activations cheaper; then one finer and others cheaper by more than that costs.</summary>
    private int[] Improved(int[] start, int[][] fronts, double[,] damage)
    {
        int last = _evaluations + MostTrials;
        int[] best = Lowered(start, fronts, damage, last, untouched: -1);
        for (bool better = true; better && _evaluations < last;)
        {
            better = false;
            // The activation where a finer polynomial relieves most for its price, first.
            foreach (int k in Enumerable.Range(0, fronts.Length).OrderByDescending(k => Relief(k, best[k])))
            {
                int at = Array.IndexOf(fronts[k], best[k]);
                if (at <= 0 || _evaluations >= last) continue;
                int[] raised = [.. best];
                raised[k] = fronts[k][at - 1];
                int[] tried = Lowered(raised, fronts, damage, last, untouched: k);
                if (Total(tried) >= Total(best)) continue;
                (best, better) = (tried, true);
                break;
            }
        }
        return best;

        double Relief(int layer, int candidate)
        {
            int at = Array.IndexOf(fronts[layer], candidate);
            if (at <= 0) return double.NegativeInfinity;
            int finer = fronts[layer][at - 1];
            return (damage[layer, candidate] - damage[layer, finer]) / (CostAt(layer, finer) - CostAt(layer, candidate));
        }
    }

    private int[] Lowered(int[] start, int[][] fronts, double[,] damage, int last, int untouched)
    {
        int[] best = [.. start];
        for (bool better = true; better;)
        {
            better = false;
            foreach (int k in Enumerable.Range(0, fronts.Length).Where(k => k != untouched).OrderBy(k => Slope(k, best[k])).ToArray())
            {
                int next = Next(k, best[k]);
                if (next < 0 || _evaluations >= last) continue;
                int[] cheaper = [.. best];
                cheaper[k] = next;
                if (!Within(cheaper)) continue;
                (best, better) = (cheaper, true);
            }
        }
        return best;

        int Next(int layer, int candidate)
        {
            int at = Array.IndexOf(fronts[layer], candidate);
            // A uniform choice need not lie on the front of every activation.
            return at < 0 ? fronts[layer].FirstOrDefault(c => CostAt(layer, c) < CostAt(layer, candidate), -1) : at + 1 < fronts[layer].Length ? fronts[layer][at + 1] : -1;
        }

        double Slope(int layer, int candidate) => Next(layer, candidate) is >= 0 and int next
            ? (damage[layer, next] - damage[layer, candidate]) / (CostAt(layer, candidate) - CostAt(layer, next)) : double.PositiveInfinity;
    }

    private bool Within(int[] choice)
    {
        string key = string.Join(',', choice);
        if (_known.TryGetValue(key, out bool known)) return known;
        AdviceScore score = Score(Run(Network(choice), _choosing), _ideal, _choosing);
        return _known[key] = score.ExpectedLoss <= _loss;
    }

    private AdviceTrial Trial(string name, int[] choice, Evaluation idealJudged, AdviceImages judging)
    {
        ResNet network = Network(choice);
        var probe = new RangeProbe();
        Evaluation chosen = Run(network, _choosing), judged = Run(network, judging, probe);
        var cost = NetworkCost.Of(network, Cifar10.OneImage, _workspace);
        int exploded = judging.Indices.Where((_, i) => judged.Predictions[i] < 0 || probe.Exploded.Contains(i)).Count();
        return new(name, choice.Sum(c => _costs[c].Levels), cost.Levels, cost.NonScalarMultiplications, exploded, Score(chosen, _ideal, _choosing), Score(judged, idealJudged, judging));
    }

    private static AdviceScore Score(Evaluation evaluation, Evaluation ideal, AdviceImages images)
    {
        int lost = 0, gained = 0;
        for (int n = 0; n < images.Indices.Length; n++)
        {
            int label = images.Data.Labels[images.Indices[n]];
            bool right = evaluation.Predictions[n] == label, ideally = ideal.Predictions[n] == label;
            if (ideally && !right) lost++;
            if (right && !ideally) gained++;
        }
        return new(images.Indices.Length, evaluation.Correct, lost, gained, ExpectedLoss(evaluation, ideal, images));
    }

    /// <summary>
    /// With t the margin of the true class in the ideal network and d its change: 100 times the mean over images of the share, over the images j next to i in the order of t, of t_i + d_j
    /// not above 0; images with t_i not above 0 count as none. Each image meets the changes of its neighbours, so that chance at single images averages out; an answer that is no number is wrong.
    /// </summary>
    internal static double ExpectedLoss(Evaluation evaluation, Evaluation ideal, AdviceImages images)
    {
        int count = images.Indices.Length, classes = ideal.Logits.Length / count;
        double[] margins = new double[count], changes = new double[count];
        for (int n = 0; n < count; n++)
        {
            int label = images.Data.Labels[images.Indices[n]];
            margins[n] = Margin(ideal.Logits.AsSpan(n * classes, classes), label);
            changes[n] = evaluation.Predictions[n] < 0 ? double.NegativeInfinity : Margin(evaluation.Logits.AsSpan(n * classes, classes), label) - margins[n];
        }
        Array.Sort(margins, changes);
        double loss = 0;
        for (int i = 0; i < count; i++)
        {
            if (!(margins[i] > 0)) continue;
            int first = Math.Max(0, i - Neighbours), last = Math.Min(count - 1, i + Neighbours), wrong = 0;
            for (int j = first; j <= last; j++)
            {
                if (!(margins[i] + changes[j] > 0)) wrong++;
            }
            loss += (double)wrong / (last - first + 1);
        }
        return 100 * loss / count;
    }

    private Evaluation Run(ResNet network, AdviceImages images, RangeProbe? probe = null)
    {
        Evaluation evaluation = Evaluation.Of(network, images.Data, images.Indices, _normalization, _workspace, observers: probe is null ? null : [probe], cancellation: _cancellation);
        _evaluations++;
        _progress?.Report(_evaluations);
        return evaluation;
    }

    private ResNet Network(int[] choice)
    {
        var functions = _pann.Activations.Select((activation, k) => (activation.Path, Function: At(k, choice[k]))).ToDictionary(place => place.Path, place => place.Function);
        return _pann.With(path => functions[path]);
    }

    private ActivationFunction At(int layer, int candidate) => _places[layer] with { Approximation = _polynomials[candidate], Shift = null };

    private long Total(int[] choice) => choice.Select((c, k) => CostAt(k, c)).Sum();

    private long UniformCost(int candidate) => Enumerable.Range(0, _places.Length).Sum(k => CostAt(k, candidate));

    private long CostAt(int layer, int candidate) => _goal == AdviceGoal.Levels ? _costs[candidate].Levels : Products(layer, candidate);

    private long Products(int layer, int candidate) => (long)_elements[layer] * _costs[candidate].NonScalarMultiplications;

    /// <summary>Logit of a class minus the largest other logit.</summary>
    private static double Margin(ReadOnlySpan<float> logits, int predicted)
    {
        double other = double.NegativeInfinity;
        for (int k = 0; k < logits.Length; k++)
        {
            if (k != predicted) other = Math.Max(other, logits[k]);
        }
        return logits[predicted] - other;
    }
}
