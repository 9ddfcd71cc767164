using BenchmarkDotNet.Attributes;
using PannCore.Kernels;

namespace PannCore.Perf;

/// <summary>The convolutions of ResNet-20 at batch 128; each shape's multiply-adds are in its name's comment. Checked against a sum before timing.</summary>
public class ConvolutionBenchmarks
{
    private const int Images = 128;
    private readonly Workers _workers = new(Environment.ProcessorCount);
    private ConvPlan<float> _forward = null!, _dataGradient = null!;
    private ConvWeightGradient _weightGradient = null!;
    private Memory<float> _x, _y, _dx, _partials, _packed, _packedGradient;
    private float[] _dw = [];

    /// <summary>Shape by name: stage 1 to 3 are 302, 302 and 302 million multiply-adds; stem 57; the two stride-2 layers 151 each.</summary>
    [Params("stem 3-16", "stage1 16-16", "stage2 32-32", "stage3 64-64", "down 16-32", "down 32-64")]
    public string Shape { get; set; } = "";

    [GlobalSetup]
    public void Setup()
    {
        ConvGeometry g = Shape switch
        {
            "stem 3-16" => new(32, 32, 3, 16, 3, 3, 1, 1),
            "stage1 16-16" => new(32, 32, 16, 16, 3, 3, 1, 1),
            "stage2 32-32" => new(16, 16, 32, 32, 3, 3, 1, 1),
            "stage3 64-64" => new(8, 8, 64, 64, 3, 3, 1, 1),
            "down 16-32" => new(32, 32, 16, 32, 3, 3, 2, 1),
            _ => new(16, 16, 32, 64, 3, 3, 2, 1),
        };
        _forward = ConvPlan<float>.Forward(g);
        _dataGradient = ConvPlan<float>.DataGradient(g);
        _weightGradient = new(g, _forward);
        float[] weights = new float[g.K * g.C * g.R * g.S];
        Array.Fill(weights, 1f);
        _packed = _forward.Pack(weights, g.S);
        _packedGradient = _dataGradient.Pack(weights, g.S);
        _x = AlignedBuffer.Allocate<float>(Images * g.H * g.W * g.C);
        _dx = AlignedBuffer.Allocate<float>(_x.Length);
        _y = AlignedBuffer.Allocate<float>(Images * g.OutH * g.OutW * g.K);
        _partials = AlignedBuffer.Allocate<float>(ConvWeightGradient.MaxPartials * _weightGradient.PartialLength);
        _dw = new float[weights.Length];
        _x.Span.Fill(1);
        Forward();

        // All ones: an inner pixel is the number of its terms.
        int inner = ((g.OutW + 1) * g.K) + 1;
        if (_y.Span[inner] != g.R * g.S * g.C) throw new InvalidOperationException($"{Shape}: expected {g.R * g.S * g.C}, found {_y.Span[inner]}");
    }

    [GlobalCleanup]
    public void Cleanup() => _workers.Dispose();

    [Benchmark]
    public void Forward() => _workers.Run(new ConvForwardJob<float>(_forward, _x, _packed, _y), Images);

    [Benchmark]
    public void DataGradient() => _workers.Run(new ConvForwardJob<float>(_dataGradient, _y, _packedGradient, _dx), Images);

    [Benchmark]
    public void WeightGradient() => _weightGradient.Run(Images, _x, _y, _partials, _dw, _workers);
}
