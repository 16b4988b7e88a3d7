using System.Buffers.Binary;

namespace Kv.Storage.Tests;

/// <summary>The records of a small manifest of RocksDB's: a checksum of 4 bytes, a length of 2, a kind of 1, and so much more.</summary>
internal static class OrderedManifestRecords
{
    private const int HeaderBytes = 7;

    /// <summary>Where each begins.</summary>
    public static List<int> Starts(ReadOnlySpan<byte> manifest)
    {
        var starts = new List<int>();
        for (var at = 0; at + HeaderBytes <= manifest.Length;)
        {
            starts.Add(at);
            at += HeaderBytes + BinaryPrimitives.ReadUInt16LittleEndian(manifest[(at + 4)..]);
        }

        return starts;
    }
}
