using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace PannCore.Approximation;

/// <summary>
/// SHA-256 of a polynomial file's data: texts as UTF-8 and doubles as their 64 bits, little-endian, each list and text after its length. It shows a change of a single bit, which
/// figures compared with a tolerance do not; who changes data and digest alike must still get past the recomputed certificate.
/// </summary>
internal static class PolynomialDigest
{
    public static string Of(string spec, string family, double leak, bool claimsMinimax, IReadOnlyList<StageDocument> stages)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Text(spec);
        Text(family);
        Number(leak);
        Count(claimsMinimax ? 1 : 0);
        Count(stages.Count);
        foreach (StageDocument stage in stages)
        {
            Text(stage.Parity!);
            Numbers(stage.Interval!);
            Number(stage.Centre!.Value);
            Number(stage.HalfWidth!.Value);
            Numbers(stage.Coefficients!);
            Numbers(stage.ReferencePoints!);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());

        void Text(string text)
        {
            byte[] bytes = Encoding.UTF8.GetBytes(text);
            Count(bytes.Length);
            hash.AppendData(bytes);
        }

        void Numbers(IReadOnlyList<double> numbers)
        {
            Count(numbers.Count);
            foreach (double number in numbers) Number(number);
        }

        void Count(int count)
        {
            Span<byte> bytes = stackalloc byte[sizeof(int)];
            BinaryPrimitives.WriteInt32LittleEndian(bytes, count);
            hash.AppendData(bytes);
        }

        void Number(double number)
        {
            Span<byte> bytes = stackalloc byte[sizeof(double)];
            BinaryPrimitives.WriteDoubleLittleEndian(bytes, number);
            hash.AppendData(bytes);
        }
    }
}
