using System.Buffers.Binary;
using System.Globalization;
using System.Net;

namespace Kv.Core.Security;

/// <summary>
/// A block of addresses as `10.0.0.0/8` or `fd00::/8` writes it; bits beyond the prefix are none of its (riak_core_security's anchor_mask). Sorts longer prefixes first, which
/// is the order in which sources are tried.
/// </summary>
public readonly record struct CidrBlock : IComparable<CidrBlock>
{
    private const int BitsV4 = 32;
    private const int BitsV6 = 128;
    private const int BytesV4 = 4;
    private const int BytesV6 = 16;

    /// <summary>Of an IPv4 address, its 32 bits stand highest.</summary>
    private readonly UInt128 address;

    private CidrBlock(UInt128 bits, int prefix, bool isV6) => (address, Prefix, IsV6) = (bits & Mask(prefix), prefix, isV6);

    /// <summary>Bits that count.</summary>
    public int Prefix { get; }

    public bool IsV6 { get; }

    public static bool TryParse(string text, out CidrBlock block)
    {
        block = default;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (slash < 0 || !IPAddress.TryParse(text.AsSpan(0, slash), out var parsed) || text.Contains('%', StringComparison.Ordinal)
            || !int.TryParse(text.AsSpan(slash + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var prefix))
        {
            return false;
        }

        // `10/8` and `010.0.0.0/8` are addresses too, and other ones than they look like.
        var (bits, isV6) = BitsOf(parsed, unmap: false);
        if (prefix > (isV6 ? BitsV6 : BitsV4) || (!isV6 && !text.AsSpan(0, slash).SequenceEqual(parsed.ToString())))
        {
            return false;
        }

        block = new CidrBlock(bits, prefix, isV6);
        return true;
    }

    /// <summary>An IPv4 address that came over an IPv6 socket counts as what it is.</summary>
    public bool Contains(IPAddress peer)
    {
        var (bits, isV6) = BitsOf(peer, unmap: true);
        return isV6 == IsV6 && (bits & Mask(Prefix)) == address;
    }

    public int CompareTo(CidrBlock other)
    {
        var byPrefix = other.Prefix.CompareTo(Prefix);
        var byKind = byPrefix != 0 ? byPrefix : IsV6.CompareTo(other.IsV6);
        return byKind != 0 ? byKind : address.CompareTo(other.address);
    }

    public override string ToString()
    {
        Span<byte> bytes = stackalloc byte[BytesV6];
        BinaryPrimitives.WriteUInt128BigEndian(bytes, address);
        return string.Create(CultureInfo.InvariantCulture, $"{new IPAddress(IsV6 ? bytes : bytes[..BytesV4])}/{Prefix}");
    }

    public static bool operator <(CidrBlock left, CidrBlock right) => left.CompareTo(right) < 0;

    public static bool operator <=(CidrBlock left, CidrBlock right) => left.CompareTo(right) <= 0;

    public static bool operator >(CidrBlock left, CidrBlock right) => left.CompareTo(right) > 0;

    public static bool operator >=(CidrBlock left, CidrBlock right) => left.CompareTo(right) >= 0;

    private static UInt128 Mask(int prefix) => prefix == 0 ? 0 : UInt128.MaxValue << (BitsV6 - prefix);

    private static (UInt128 Bits, bool IsV6) BitsOf(IPAddress parsed, bool unmap)
    {
        Span<byte> bytes = stackalloc byte[BytesV6];
        (unmap && parsed.IsIPv4MappedToIPv6 ? parsed.MapToIPv4() : parsed).TryWriteBytes(bytes, out var written);
        return (BinaryPrimitives.ReadUInt128BigEndian(bytes), written == BytesV6);
    }
}
