using System.Text;
using Google.Protobuf;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Kv.Core.Quorum;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// A request's fields by type. The first one that makes no sense becomes <see cref="Fault"/>; the rest reads on, so that a request is taken apart in straight lines
/// and judged once.
/// </summary>
internal struct PbFields
{
    private const uint One = uint.MaxValue - 1;
    private const uint Quorum = uint.MaxValue - 2;
    private const uint All = uint.MaxValue - 3;
    private const uint Default = uint.MaxValue - 4;

    private static readonly UTF8Encoding Utf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public string? Fault { get; private set; }

    public void Refuse(string fault) => Fault ??= fault;

    /// <summary>An absent type is `default`.</summary>
    public string BucketType(bool isGiven, ByteString name)
    {
        if (!isGiven || name.Span.SequenceEqual("default"u8))
        {
            return ObjectKey.DefaultType;
        }

        if (name.IsEmpty)
        {
            Refuse(PbErrors.EmptyType);
        }

        return Text(name, "the bucket type");
    }

    public ObjectKey Key(bool hasType, ByteString type, ByteString bucket, ReadOnlyMemory<byte> key)
    {
        if (bucket.IsEmpty)
        {
            Refuse(PbErrors.EmptyBucket);
        }

        if (key.IsEmpty)
        {
            Refuse(PbErrors.EmptyKey);
        }

        return new ObjectKey(BucketType(hasType, type), bucket.Memory, key);
    }

    /// <summary>What the store keeps as text: Riak takes any bytes there, this store UTF-8.</summary>
    public string Text(ByteString bytes, string what)
    {
        try
        {
            return Utf8.GetString(bytes.Span);
        }
        catch (DecoderFallbackException)
        {
            Refuse($"{what} is not UTF-8");
            return "";
        }
    }

    /// <summary>A causal context; null where there is none.</summary>
    public VersionVector? Clock(ByteString token)
    {
        if (token.IsEmpty)
        {
            return null;
        }

        if (CausalContext.TryDecode(token.Span, out var clock, out var reason))
        {
            return clock;
        }

        Refuse($"invalid vclock: {reason}");
        return null;
    }

    /// <summary>A request cannot ask for less than one replica.</summary>
    public int? NVal(bool isGiven, uint nVal)
    {
        if (isGiven && nVal is 0 or > int.MaxValue)
        {
            Refuse("{n_val_violation,0}");
        }

        return isGiven ? (int)nVal : null;
    }

    public static QuorumValue QuorumOf(bool isGiven, uint value) => !isGiven ? QuorumValue.Default : value switch
    {
        One => QuorumValue.One,
        Quorum => QuorumValue.Quorum,
        All => QuorumValue.All,
        Default => QuorumValue.Default,
        _ => QuorumValue.Of((int)Math.Min(value, int.MaxValue)),
    };

    public static uint NumberOf(QuorumValue value) =>
        value == QuorumValue.One ? One
        : value == QuorumValue.Quorum ? Quorum
        : value == QuorumValue.All ? All
        : value.IsDefault ? Default
        : (uint)value.Code;

    /// <summary>Milliseconds; 0 stands for the default, as in Riak, and more than a day for a day.</summary>
    public static TimeSpan? Timeout(uint milliseconds) => milliseconds == 0 ? null : TimeSpan.FromMilliseconds(Math.Min(milliseconds, 24L * 60 * 60 * 1000));

    public static ByteString Wrap(ReadOnlyMemory<byte> bytes) => bytes.IsEmpty ? ByteString.Empty : UnsafeByteOperations.UnsafeWrap(bytes);
}
