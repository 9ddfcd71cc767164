using System.CommandLine;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using PannCore.Engine;

namespace PannCore.Cli;

/// <summary>Options that mean the same in every verb.</summary>
internal static class CommonOptions
{
    public static Option<string?> Data() => new("--data")
    {
        HelpName = "PATH",
        Description = "A folder with the CIFAR-10 binary files, cifar-10-binary.tar.gz, or a .bin file. Default: PANN_DATA, then data/.",
    };

    public static Option<string?> Json() => new("--json") { HelpName = "FILE", Description = "Also write the result to this file." };

    public static Option<string?> Model() => new("--model")
    {
        HelpName = "FILE",
        Description = "A model written by pann train, or a PyTorch checkpoint (with --arch). Default: the bundled ResNet-20.",
    };

    public static Option<string?> Architecture() => new("--arch")
    {
        HelpName = "NAME",
        Description = "Architecture of a PyTorch checkpoint: resnet20, resnet32, resnet44, resnet56 or resnet110.",
    };

    public static Option<string?> Normalize() => new("--normalize")
    {
        HelpName = "NAME",
        Description = "Pixel normalisation of a PyTorch checkpoint: cifar10 or imagenet.",
    };

    public static Option<string> Activation(string byDefault) => new("--activation")
    {
        HelpName = "SPEC",
        Description = "relu, leaky:A, composite:alpha=4..14, composite:D,D,... or direct:N; the last three also with ,leak=A.",
        DefaultValueFactory = _ => byDefault,
    };

    public static Option<string> Ranges(string byDefault) => new("--ranges")
    {
        HelpName = "RANGES",
        Description = "Range B of the activations: layer, global, global:B or file:PATH.",
        DefaultValueFactory = _ => byDefault,
    };

    public static Option<int> Calibrate()
    {
        Option<int> option = new("--calibrate")
        {
            HelpName = "N",
            Description = "Measure ranges on the first N training images (10000 is data_batch_1) instead of taking the model file's.",
        };
        return AtLeast(option, 0);
    }

    public static Option<double> Margin() => new("--margin")
    {
        HelpName = "M",
        Description = "Factor on measured ranges.",
        DefaultValueFactory = _ => 1.05,
    };

    public static Option<int> Threads() => AtLeast(
        new Option<int>("--threads") { HelpName = "N", Description = "Worker threads; results do not depend on it. Default: all cores.", DefaultValueFactory = _ => Environment.ProcessorCount }, 1);

    public static Option<int> AtLeast(Option<int> option, int least)
    {
        option.Validators.Add(result =>
        {
            if (!result.Errors.Any() && result.GetValueOrDefault<int>() < least) result.AddError($"{option.Name}: expected at least {least}, found {result.GetValueOrDefault<int>()}");
        });
        return option;
    }

    /// <summary>Refuses files that cannot be written, before hours of work and not after.</summary>
    public static void CheckOutputs(params ReadOnlySpan<string?> paths)
    {
        foreach (string? path in paths)
        {
            if (path is not null) AtomicFile.Check(path);
        }
    }

    public static void WriteJson<T>(string? path, T record, JsonTypeInfo<T> type)
    {
        if (path is not null) AtomicFile.Write(path, stream => JsonSerializer.Serialize(stream, record, type));
    }

    /// <summary>A workspace with the threads asked for.</summary>
    public static Workspace Workspace(ParseResult parsed, Option<int> threads) => new(parsed.GetValue(threads));
}
