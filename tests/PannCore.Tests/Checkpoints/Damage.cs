using Xunit;

namespace PannCore.Tests.Checkpoints;

/// <summary>Deterministic fuzzing: a damaged file may still be valid, or must be a <see cref="BadInputException"/>, never another exception.</summary>
internal static class Damage
{
    private static readonly byte[] Values = [0x00, 0x01, 0x7F, 0xFF, (byte)'.'];

    public static void Everywhere(byte[] good, Action<byte[]> read)
    {
        int refused = 0;
        for (int at = 0; at < good.Length; at++)
        {
            foreach (byte value in Values)
            {
                byte[] bytes = [.. good];
                bytes[at] = value;
                try
                {
                    read(bytes);
                }
                catch (BadInputException e)
                {
                    Assert.DoesNotContain('\n', e.Message);
                    refused++;
                }
            }
        }
        Assert.True(refused > good.Length, $"only {refused} of {good.Length * Values.Length} damaged files were refused");
    }
}
