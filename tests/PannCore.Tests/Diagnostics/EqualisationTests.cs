using PannCore.Data;
using PannCore.Diagnostics;
using PannCore.Engine;
using PannCore.Nn;
using PannCore.Ops;
using PannCore.Training;
using Xunit;

namespace PannCore.Tests.Diagnostics;

public sealed class EqualisationTests : IDisposable
{
    private static readonly int[] Images = [.. Enumerable.Range(0, 40)];

    private readonly Workspace _workspace = new(2);
    private readonly IReadOnlyDictionary<string, float[]> _largest;
    private readonly ResNet _network;
    private readonly IReadOnlyDictionary<string, double> _inputs;

    public EqualisationTests()
    {
        _largest = Measure(RandomNetwork.Backbone);
        (_network, _inputs) = Equalisation.Of(RandomNetwork.Backbone, _largest);
    }

    public void Dispose() => _workspace.Dispose();

    [Fact]
    public void The_network_answers_as_before()
    {
        // Other images than the measured ones. Every scale adds three roundings to a product; 20 layers of them stay far below 1e-4 of the logits' size.
        int[] others = [.. Enumerable.Range(300, 20)];
        float[] before = Logits(RandomNetwork.Backbone, others), after = Logits(_network, others);
        float size = before.Max(MathF.Abs);
        for (int i = 0; i < before.Length; i++) Assert.Equal(before[i], after[i], 1e-4f * size);
    }

    [Fact]
    public void Every_channel_fills_the_same_range()
    {
        IReadOnlyDictionary<string, float[]> now = Measure(_network);
        Assert.Equal(_largest.Keys, now.Keys);
        foreach ((string path, float[] channels) in now)
        {
            Assert.Equal(_inputs[path], channels.Max(), 1e-4);
            Assert.All(channels, value => Assert.InRange(value, 0, 1.0001f));
            // Inside a block each channel is free: its largest is 1.
            if (path.EndsWith("relu1", StringComparison.Ordinal)) Assert.All(channels, value => Assert.Equal(1, value, 1e-4f));
        }
        // Along the skip connection a channel reaches 1 somewhere. Channels 24 to 39 of the 64 are those of the first stage.
        float[] reached = new float[64];
        foreach ((string path, float[] channels) in now.Where(pair => !pair.Key.EndsWith("relu1", StringComparison.Ordinal)))
        {
            for (int c = 0; c < channels.Length; c++) reached[c + ((64 - channels.Length) / 2)] = Math.Max(reached[c + ((64 - channels.Length) / 2)], channels[c]);
        }
        Assert.All(reached, value => Assert.Equal(1, value, 1e-4f));
    }

    [Fact]
    public void The_largest_inputs_are_those_of_a_naive_search()
    {
        var probe = new RangeProbe();
        Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace, observers: [probe]);
        Assert.All(_largest, pair => Assert.Equal(probe.ByPath[pair.Key].Largest, pair.Value.Max()));
        // And channel by channel, image by image.
        var naive = new Dictionary<string, float[]>();
        foreach (int image in Images)
        {
            var recorder = new Recorder();
            Evaluation.Of(RandomNetwork.Backbone, RandomNetwork.Sample, [image], Normalization.Cifar10, _workspace, observers: [recorder]);
            foreach (RecordedOp op in recorder.Ops.Where(op => op.Op is Relu))
            {
                int channels = _largest[op.Path].Length;
                float[] largest = naive.TryGetValue(op.Path, out float[]? known) ? known : naive[op.Path] = new float[channels];
                for (int i = 0; i < op.Inputs[0].Length; i++) largest[i % channels] = Math.Max(largest[i % channels], (float)Math.Abs(op.Inputs[0][i]));
            }
        }
        Assert.Equal(naive, _largest);
    }

    [Fact]
    public void A_channel_without_inputs_keeps_its_scale()
    {
        ResNet network = RandomNetwork.Make(1);
        foreach (string name in (string[])["layer1.0.bn1.weight", "layer1.0.bn1.bias"]) network.Parameters.Find(name)!.Update(values => values[3] = 0);
        IReadOnlyDictionary<string, float[]> largest = Measure(network);
        Assert.Equal(0, largest["layer1.0.relu1"][3]);
        ResNet equalised = Equalisation.Of(network, largest).Network;
        float[] before = Logits(network, Images), after = Logits(equalised, Images);
        float size = before.Max(MathF.Abs);
        for (int i = 0; i < before.Length; i++) Assert.Equal(before[i], after[i], 1e-4f * size);
        // The weights that read it are those before; those that read its neighbour are not.
        Parameter was = network.Parameters.Find("layer1.0.conv2.weight")!, now = equalised.Parameters.Find("layer1.0.conv2.weight")!;
        float[] Read(Parameter weights, int channel) => [.. Enumerable.Range(0, 16 * 9).Select(i => weights.Values[(((i / 9 * 16) + channel) * 9) + (i % 9)])];
        Assert.Equal(Read(was, 3), Read(now, 3));
        Assert.NotEqual(Read(was, 4), Read(now, 4));
    }

    [Fact]
    public void The_network_it_is_made_from_stays_as_it_is()
    {
        Assert.Equal(PannCore.Checkpoints.ModelFile.WeightHash(RandomNetwork.Make(1)), PannCore.Checkpoints.ModelFile.WeightHash(RandomNetwork.Backbone));
        Assert.NotEqual(PannCore.Checkpoints.ModelFile.WeightHash(RandomNetwork.Backbone), PannCore.Checkpoints.ModelFile.WeightHash(_network));
    }

    private IReadOnlyDictionary<string, float[]> Measure(ResNet network) => Equalisation.Measure(network, RandomNetwork.Sample, Images, Normalization.Cifar10, _workspace);

    private float[] Logits(ResNet network, int[] images) => Evaluation.Of(network, RandomNetwork.Sample, images, Normalization.Cifar10, _workspace).Logits;
}
