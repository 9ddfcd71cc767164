using Xunit;

namespace PannCore.Tests.Support;

/// <summary>Files that are not part of the repository and that a test may need; each is named by an environment variable.</summary>
internal static class External
{
    public static string? Data => Folder("PANN_DATA");

    public static string? Checkpoints => Folder("PANN_CHECKPOINTS");

    public static string? Oracle => Folder("PANN_ORACLE");

    public static string PublishedCheckpoint => Path.Combine(Checkpoints!, "resnet20-12fca82f.th");

    public static string OracleFile => Path.Combine(Oracle!, "resnet20-12fca82f-oracle.safetensors");

    private static string? Folder(string variable)
        => Environment.GetEnvironmentVariable(variable) is { Length: > 0 } folder && Directory.Exists(folder) ? folder : null;
}

/// <summary>A test on the real CIFAR-10; reported as skipped, by name, where PANN_DATA does not point to it.</summary>
internal sealed class NeedsCifar10FactAttribute : FactAttribute
{
    public NeedsCifar10FactAttribute()
    {
        if (External.Data is null) Skip = "PANN_DATA does not point to a folder with the CIFAR-10 binary files";
    }
}

/// <summary>A test on the published checkpoint and its oracle; skipped where PANN_CHECKPOINTS or PANN_ORACLE is not set.</summary>
internal sealed class NeedsOracleFactAttribute : FactAttribute
{
    public NeedsOracleFactAttribute()
    {
        if (External.Checkpoints is null) Skip = "PANN_CHECKPOINTS does not point to a folder with resnet20-12fca82f.th";
        else if (External.Oracle is null) Skip = "PANN_ORACLE does not point to a folder with the oracle's results";
    }
}

/// <summary>A test on the published checkpoint, its oracle and the real CIFAR-10.</summary>
internal sealed class NeedsEverythingFactAttribute : FactAttribute
{
    public NeedsEverythingFactAttribute()
    {
        if (External.Data is null || External.Checkpoints is null || External.Oracle is null)
            Skip = "needs PANN_DATA, PANN_CHECKPOINTS and PANN_ORACLE";
    }
}
