using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Kv.Core.Causality;
using Kv.Core.Rings;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// The tag of a write (Riak's vtag, HTTP's ETag): base 62 of a hash of its dot, so that it is as unique as the dot and needs no random source.
/// </summary>
internal static class VTags
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int HashBytes = 16;
    private const int MaxDigits = 22;

    public static string Of(Dot dot) =>
        Of(dot.Actor.Node, ((long)dot.Actor.Partition.Number << 32) | dot.Actor.Epoch, (long)dot.Counter);

    /// <summary>Of a write without a dot: the node, its time and a count make it unique.</summary>
    [SuppressMessage("Security", "CA5351", Justification = "spreads bits, keeps no secret; Riak's tags are MD5 too")]
    public static string Of(NodeId node, long time, long count)
    {
        Span<byte> source = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(source, node.Value);
        BinaryPrimitives.WriteInt64LittleEndian(source[8..], time);
        BinaryPrimitives.WriteInt64LittleEndian(source[16..], count);
        Span<byte> hash = stackalloc byte[HashBytes];
        MD5.HashData(source, hash);
        var number = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        Span<char> tag = stackalloc char[MaxDigits];
        var at = MaxDigits;
        do
        {
            (number, var digit) = UInt128.DivRem(number, 62);
            tag[--at] = Digits[(int)digit];
        }
        while (number != UInt128.Zero);
        return tag[at..].ToString();
    }
}
