using System.Security.Cryptography;
using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using Kv.Core.Causality;

namespace Kv.Cluster.Vnodes;

/// <summary>
/// The tag of a write (Riak's vtag, HTTP's ETag): base 62 of a hash of its dot, so that it is as unique as the dot and needs no random source.
/// </summary>
internal static class VTags
{
    private const string Digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    private const int HashBytes = 16;
    private const int MaxDigits = 22;

    [SuppressMessage("Security", "CA5351", Justification = "spreads bits, keeps no secret; Riak's tags are MD5 too")]
    public static string Of(Dot dot)
    {
        Span<byte> source = stackalloc byte[24];
        BinaryPrimitives.WriteUInt64LittleEndian(source, dot.Actor.Node.Value);
        BinaryPrimitives.WriteInt32LittleEndian(source[8..], dot.Actor.Partition.Number);
        BinaryPrimitives.WriteUInt32LittleEndian(source[12..], dot.Actor.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(source[16..], dot.Counter);
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
