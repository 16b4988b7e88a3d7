using System.Buffers;
using System.Buffers.Binary;
using System.Globalization;
using Grpc.Core;
using Kv.Cluster.Peers;

namespace Kv.Wire.Peer;

/// <summary>
/// One gRPC message of a peer stream. All numbers little-endian.
/// <code>
/// frame:    version u8 | kind u8 | count u16 | count messages (kinds Requests, Replies), or one body (Hello, Welcome), or a piece (LongBegin, LongMore; count 0)
/// piece:    bytes of one message, as they come: the first at least its envelope
/// message:  id u64 | code u8 | deadline left u32 (milliseconds) | document version i64 | fence (starts u32, generation u64) | body length u32 | body
/// </code>
/// A Hello has the newest version that its sender speaks, and for a count the oldest; a Welcome has the version that the stream will speak, and count 0. Their
/// layout stays as it is in every version, so that nodes of different versions find the one that both speak, or tell each other that there is none.
/// </summary>
public sealed class PeerFrame
{
    public const int HeaderBytes = 4;
    public const int EnvelopeBytes = 37;

    /// <summary>Bytes of the body of a Hello or Welcome: before a caller has said who it is, no more is gathered of what it sends.</summary>
    public const int MaxHelloBytes = 4096;

    public const string HandshakeTooLong = "a handshake that is too long";

    private PeerFrame()
    {
    }

    /// <summary>Of a frame that was received: the version it is written in.</summary>
    public byte Version { get; private init; }

    /// <summary>Of a Hello that was received: the oldest version that the sender speaks.</summary>
    public byte OldestVersion { get; private init; }

    public PeerFrameKind Kind { get; private init; }

    /// <summary>Of a frame that was received: its messages.</summary>
    public IReadOnlyList<PeerEnvelope> Messages { get; private init; } = [];

    /// <summary>Of a Hello or Welcome that was received; of a piece: what it has of its message's body.</summary>
    public ReadOnlyMemory<byte> Body { get; private init; }

    /// <summary>Of the first piece of a long message: the bytes that its body will have.</summary>
    public uint LongBodyBytes { get; private init; }

    /// <summary>Of a received frame that cannot be read: why.</summary>
    public string? Problem { get; private init; }

    /// <summary>Of a frame to be sent: all its bytes.</summary>
    public ReadOnlyMemory<byte> Encoded { get; private init; }

    /// <summary>How gRPC reads and writes frames, without protobuf.</summary>
    public static Marshaller<PeerFrame> Marshaller { get; } = new(
        static (frame, context) =>
        {
            context.SetPayloadLength(frame.Encoded.Length);
            context.GetBufferWriter().Write(frame.Encoded.Span);
            context.Complete();
        },
        static context => Decode(context.PayloadAsReadOnlySequence()));

    /// <summary>A frame whose bytes are already written; they must stay until it is sent.</summary>
    public static PeerFrame OfEncoded(ReadOnlyMemory<byte> encoded) => new() { Encoded = encoded };

    /// <summary>Begins a frame; <see cref="Finish"/> sets its count.</summary>
    public static void Begin(WireWriter writer, PeerFrameKind kind, byte version)
    {
        writer.Clear();
        writer.U8(version);
        writer.U8((byte)kind);
        writer.U16(0);
    }

    public static PeerFrame Finish(WireWriter writer, int count)
    {
        writer.PatchU16(2, (ushort)count);
        return OfEncoded(writer.Written);
    }

    /// <summary>Writes a message's envelope; the body follows, then <see cref="WireWriter.FillLength"/> with what this returns.</summary>
    public static int WriteEnvelope(WireWriter writer, ulong id, byte code, uint deadlineMilliseconds, long documentVersion, Fence fence)
    {
        writer.U64(id);
        writer.U8(code);
        writer.U32(deadlineMilliseconds);
        writer.I64(documentVersion);
        writer.U32(fence.Starts);
        writer.U64(fence.Generation);
        return writer.LengthToFill();
    }

    /// <summary>Never throws: a frame that makes no sense has a <see cref="Problem"/>. The bodies are copies.</summary>
    public static PeerFrame Decode(in ReadOnlySequence<byte> payload)
    {
        var reader = new SequenceReader<byte>(payload);
        Span<byte> header = stackalloc byte[HeaderBytes];
        if (!reader.TryCopyTo(header))
        {
            return new PeerFrame { Problem = "a frame shorter than its header" };
        }

        reader.Advance(HeaderBytes);
        var (version, kind, count) = (header[0], (PeerFrameKind)header[1], BinaryPrimitives.ReadUInt16LittleEndian(header[2..]));
        if (kind is PeerFrameKind.Hello or PeerFrameKind.Welcome)
        {
            return reader.Remaining > MaxHelloBytes
                ? new PeerFrame { Version = version, Kind = kind, Problem = HandshakeTooLong }
                : new PeerFrame { Version = version, OldestVersion = (byte)Math.Min(count, byte.MaxValue), Kind = kind, Body = reader.UnreadSequence.ToArray() };
        }

        return kind switch
        {
            PeerFrameKind.Requests or PeerFrameKind.Replies => DecodeMessages(ref reader, version, kind, count),
            PeerFrameKind.LongBegin => DecodeLongBegin(ref reader, version),
            PeerFrameKind.LongMore => new PeerFrame { Version = version, Kind = kind, Body = reader.UnreadSequence.ToArray() },
            _ => Bad(version, kind, string.Create(CultureInfo.InvariantCulture, $"unknown frame kind {(int)kind}")),
        };
    }

    /// <summary>Why the frame is none of <paramref name="kind"/> in the version that the stream agreed on; null where it is.</summary>
    public string? ProblemAs(PeerFrameKind kind, byte version)
    {
        if (Version != version)
        {
            return string.Create(CultureInfo.InvariantCulture, $"frame version {Version}, where {version} was agreed on");
        }

        var isPiece = version >= PeerVersions.WithLongMessages && Kind is PeerFrameKind.LongBegin or PeerFrameKind.LongMore;
        return Problem ?? (Kind == kind || isPiece ? null : $"a frame of {Kind}, where {kind} are due");
    }

    private static PeerFrame Bad(byte version, PeerFrameKind kind, string problem) => new() { Version = version, Kind = kind, Problem = problem };

    private static PeerFrame DecodeMessages(ref SequenceReader<byte> reader, byte version, PeerFrameKind kind, int count)
    {
        if (count > reader.Remaining / EnvelopeBytes)
        {
            return Bad(version, kind, string.Create(CultureInfo.InvariantCulture, $"{count} messages in {reader.Remaining} bytes"));
        }

        var messages = new PeerEnvelope[count];
        Span<byte> envelope = stackalloc byte[EnvelopeBytes];
        for (var i = 0; i < count; i++)
        {
            if (!reader.TryCopyTo(envelope))
            {
                return Bad(version, kind, string.Create(CultureInfo.InvariantCulture, $"the frame ends in message {i} of {count}"));
            }

            reader.Advance(EnvelopeBytes);
            var length = BodyLength(envelope);
            if (length > reader.Remaining)
            {
                return Bad(version, kind, string.Create(CultureInfo.InvariantCulture, $"message {i} of {count} is {length} bytes long, and {reader.Remaining} are left"));
            }

            var body = length == 0 ? [] : new byte[length];
            reader.TryCopyTo(body);
            reader.Advance(length);
            messages[i] = ReadEnvelope(envelope, body);
        }

        return reader.Remaining == 0
            ? new PeerFrame { Version = version, Kind = kind, Messages = messages }
            : Bad(version, kind, string.Create(CultureInfo.InvariantCulture, $"{reader.Remaining} bytes after the last message"));
    }

    private static PeerFrame DecodeLongBegin(ref SequenceReader<byte> reader, byte version)
    {
        Span<byte> envelope = stackalloc byte[EnvelopeBytes];
        if (!reader.TryCopyTo(envelope))
        {
            return Bad(version, PeerFrameKind.LongBegin, "a long message without its envelope");
        }

        reader.Advance(EnvelopeBytes);
        return new PeerFrame
        {
            Version = version,
            Kind = PeerFrameKind.LongBegin,
            Messages = [ReadEnvelope(envelope, default)],
            LongBodyBytes = BodyLength(envelope),
            Body = reader.UnreadSequence.ToArray(),
        };
    }

    private static uint BodyLength(ReadOnlySpan<byte> envelope) => BinaryPrimitives.ReadUInt32LittleEndian(envelope[33..]);

    private static PeerEnvelope ReadEnvelope(ReadOnlySpan<byte> envelope, ReadOnlyMemory<byte> body) => new(
        BinaryPrimitives.ReadUInt64LittleEndian(envelope),
        envelope[8],
        BinaryPrimitives.ReadUInt32LittleEndian(envelope[9..]),
        BinaryPrimitives.ReadInt64LittleEndian(envelope[13..]),
        new Fence(BinaryPrimitives.ReadUInt32LittleEndian(envelope[21..]), BinaryPrimitives.ReadUInt64LittleEndian(envelope[25..])),
        body);
}
