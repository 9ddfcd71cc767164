using System.Numerics.Tensors;
using PannCore.Training;

namespace PannCore.Diagnostics;

/// <summary>Running sums of a <see cref="CauseRecord"/>, over batches.</summary>
internal sealed class CauseSums
{
    private readonly string[] _paths;
    private readonly double[,] _margins, _squares;
    private readonly int[,] _right;
    private readonly double[] _firstOrder;
    private readonly int[] _flips;
    private readonly Dictionary<int, string> _flippedAt = [];
    private double _margin, _forwardResidual, _backwardResidual;
    private int _images, _classes = 1;

    public CauseSums(string[] paths)
    {
        _paths = paths;
        int settings = LayerSwitch.Settings.Count;
        (_margins, _squares, _right) = (new double[settings, paths.Length], new double[settings, paths.Length], new int[settings, paths.Length]);
        (_firstOrder, _flips) = (new double[paths.Length], new int[paths.Length]);
    }

    public void Add(SwitchedLogits answers, int[] images, byte[] labels, IReadOnlySet<int> exploded)
    {
        _classes = answers.Ideal.Length / images.Length;
        for (int n = 0; n < images.Length; n++)
        {
            Range row = (n * _classes)..((n + 1) * _classes);
            Follow(answers, row, images[n]);
            bool isFinite = IsFinite(answers.Ideal, row) && IsFinite(answers.Pann, row) && answers.Switched.All(setting => setting.All(logits => IsFinite(logits, row)));
            if (isFinite && !exploded.Contains(n)) Add(answers, row, n, labels[n]);
        }
    }

    public CauseRecord Record()
    {
        int images = Math.Max(1, _images);
        return new(_images, _margin / images, _forwardResidual, _backwardResidual, [.. _paths.Select(Layer)]) { FlippedAt = _flippedAt };

        LayerCause Layer(string path, int k)
        {
            SwitchShare[] shares = [.. LayerSwitch.Settings.Select(setting => new SwitchShare(
                _margins[(int)setting, k] / images, Math.Sqrt(_squares[(int)setting, k] / ((double)images * _classes)), 100.0 * _right[(int)setting, k] / images))];
            return new(
                path, shares[(int)SwitchSetting.Forward], shares[(int)SwitchSetting.Backward], shares[(int)SwitchSetting.Alone], shares[(int)SwitchSetting.LeaveOneOut],
                shares.Max(share => share.Margin) - shares.Min(share => share.Margin), _firstOrder[k] / images, _flips[k]);
        }
    }

    private void Add(SwitchedLogits answers, Range row, int n, byte label)
    {
        _images++;
        ReadOnlySpan<float> ideal = answers.Ideal.AsSpan(row), pann = answers.Pann.AsSpan(row);
        int predicted = Evaluation.Predict(ideal);
        _margin += Margin(pann, predicted) - Margin(ideal, predicted);
        double[] forward = new double[_classes], backward = new double[_classes];
        for (int k = 0; k < _paths.Length; k++)
        {
            _firstOrder[k] += answers.FirstOrder[k][n];
            foreach (SwitchSetting setting in LayerSwitch.Settings)
            {
                (float[] allBefore, float[] allAfter) = answers.Around(setting, k);
                ReadOnlySpan<float> before = allBefore.AsSpan(row), after = allAfter.AsSpan(row);
                _margins[(int)setting, k] += Margin(after, predicted) - Margin(before, predicted);
                if (Evaluation.Predict(setting == SwitchSetting.LeaveOneOut ? before : after) == label) _right[(int)setting, k]++;
                for (int c = 0; c < _classes; c++)
                {
                    double share = (double)after[c] - before[c];
                    _squares[(int)setting, k] += share * share;
                    if (setting == SwitchSetting.Forward) forward[c] += share;
                    if (setting == SwitchSetting.Backward) backward[c] += share;
                }
            }
        }
        for (int c = 0; c < _classes; c++)
        {
            double change = (double)pann[c] - ideal[c];
            _forwardResidual = Math.Max(_forwardResidual, Math.Abs(forward[c] - change));
            _backwardResidual = Math.Max(_backwardResidual, Math.Abs(backward[c] - change));
        }
    }

    /// <summary>Finds where an image's prediction leaves the ideal network's for good.</summary>
    private void Follow(SwitchedLogits answers, Range row, int image)
    {
        int ideal = Evaluation.Predict(answers.Ideal.AsSpan(row)), k = _paths.Length - 1;
        if (Evaluation.Predict(answers.Pann.AsSpan(row)) == ideal) return;
        while (k > 0 && Evaluation.Predict(answers.Switched[(int)SwitchSetting.Forward][k - 1].AsSpan(row)) != ideal) k--;
        _flippedAt[image] = _paths[k];
        _flips[k]++;
    }

    private static double Margin(ReadOnlySpan<float> logits, int predicted) => (double)logits[predicted] - logits[MarginGradient.RunnerUp(logits, predicted)];

    private static bool IsFinite(float[] logits, Range row) => TensorPrimitives.IsFiniteAll(logits.AsSpan(row));
}
