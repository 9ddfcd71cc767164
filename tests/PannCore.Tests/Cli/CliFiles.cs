using PannCore.Approximation;
using PannCore.Checkpoints;
using PannCore.Data;
using PannCore.Tests.Checkpoints;
using PannCore.Tests.Diagnostics;

namespace PannCore.Tests.Cli;

/// <summary>A folder with a random ResNet-20, its checkpoint and eight images, for the tests of one class.</summary>
public sealed class CliFiles : IDisposable
{
    private readonly TempFolder _folder = new();

    public CliFiles()
    {
        Model = At("model.safetensors");
        ModelFile.Save(Model, RandomNetwork.Backbone, new("resnet20", Normalization.Cifar10, ActivationSpec.Parse("relu"), RandomNetwork.Largest, 24, new Dictionary<string, string>()));
        Checkpoint = _folder.With("model.th", ModelFileTests.Checkpoint(RandomNetwork.Backbone));
        Images = At("images.bin");
        using FileStream stream = File.Create(Images);
        RandomNetwork.Sample.Select([0, 100, 200, 300, 400, 500, 600, 700]).Write(stream);
    }

    public string Root => _folder.Root;

    public string Model { get; }

    public string Checkpoint { get; }

    public string Images { get; }

    public string[] Listing => _folder.FileNames;

    public string At(string name) => _folder.At(name);

    public string With(string name, byte[] content) => _folder.With(name, content);

    public string With(string name, string content) => _folder.With(name, System.Text.Encoding.UTF8.GetBytes(content));

    public void Dispose() => _folder.Dispose();
}
