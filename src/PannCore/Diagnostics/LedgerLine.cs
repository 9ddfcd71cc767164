using PannCore.Engine;

namespace PannCore.Diagnostics;

/// <summary>
/// One operation's ledger line. What is summed up is kept image by image until it is known which images of the batch are sound, and then added in the order of the images:
/// neither the batch nor the other images in it change a bit. Eight bytes an image stay.
/// </summary>
internal sealed class LedgerLine(string path, string op, int images)
{
    private readonly ErrorTally _sum = new();
    private readonly List<ErrorTally> _batch = [];
    private readonly List<double> _totalSquares = new(images);
    private bool _isActivation, _isAddition;
    private double? _range, _bound;
    private long _outOfRange, _nonFinite;

    /// <summary>Where in the network.</summary>
    public string Path => path;

    /// <summary>The constant of an affine operation, f(0) of one image; null until it is known.</summary>
    public DoubleTensor? Constant { get; set; }

    /// <summary>Largest identity residual.</summary>
    public double Residual => _sum.Residual;

    /// <summary>Images of the batch.</summary>
    public int BatchImages { get; private set; }

    /// <summary>Elements of one image.</summary>
    public int ImageSize { get; private set; }

    /// <summary>The tally of one image of the batch.</summary>
    public ErrorTally this[int image] => _batch[image];

    /// <summary>Begins a batch.</summary>
    /// <param name="activation">Of an activation, its traits.</param>
    /// <param name="bound">Of an activation, the largest approximation error in its range; infinity where none is known.</param>
    /// <param name="isAddition">Whether it has branches.</param>
    /// <param name="batchImages">Images of the batch.</param>
    /// <param name="imageSize">Elements of one of them.</param>
    public void Begin(ActivationTraits? activation, double bound, bool isAddition, int batchImages, int imageSize)
    {
        _bound = activation is null || double.IsPositiveInfinity(bound) ? null : bound;
        (_isActivation, _range, _isAddition, BatchImages, ImageSize) = (activation is not null, activation?.Range, isAddition, batchImages, imageSize);
        while (_batch.Count < batchImages) _batch.Add(new());
        for (int n = 0; n < batchImages; n++) _batch[n].Clear();
    }

    /// <summary>Counts what is counted over all images, sound or not.</summary>
    public void Count(long outOfRange, long nonFinite)
    {
        Interlocked.Add(ref _outOfRange, outOfRange);
        Interlocked.Add(ref _nonFinite, nonFinite);
    }

    /// <summary>Adds an image of the batch to the sums.</summary>
    public void Add(int image)
    {
        _sum.Merge(_batch[image]);
        _totalSquares.Add(_batch[image].Total.Squares);
    }

    /// <summary>The figures.</summary>
    /// <param name="images">Of each image that was added, its index in the data set.</param>
    public OperationRecord Record(IReadOnlyList<int> images) => _sum.Record(path, op, _isActivation, _isAddition, _range, _outOfRange, _nonFinite, Spread(images)) with { ApproximationBound = _bound };

    private ImageSpread? Spread(IReadOnlyList<int> images)
    {
        if (_totalSquares.Count != images.Count || images.Count == 0 || !(_sum.IdealRms > 0)) return null;
        int worst = 0;
        for (int n = 1; n < images.Count; n++)
        {
            if (_totalSquares[n] > _totalSquares[worst]) worst = n;
        }
        double[] sorted = [.. _totalSquares.Order()];
        double Relative(int rank) => Math.Sqrt(sorted[rank] / ImageSize) / _sum.IdealRms;
        int last = sorted.Length - 1;
        return new((Relative(last / 2) + Relative((last + 1) / 2)) / 2, Relative(last - (sorted.Length / 10)), Relative(last), images[worst]);
    }
}
