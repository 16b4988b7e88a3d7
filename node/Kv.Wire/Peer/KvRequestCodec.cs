using System.Diagnostics;
using System.Globalization;
using Kv.Cluster;
using Kv.Core.Quorum;

namespace Kv.Wire.Peer;

/// <summary>
/// A client's request as one node hands it on to another. A quorum is its code (i32: a number, or negative for a word).
/// <code>
/// operation u8 (1 get, 2 put, 3 delete) | key | timeout i64 (100 ns; -1 default) | sloppy u8 | forwarded u8 | n_val i32 (-1 default) | node_confirms | ...
/// get     r | pr | basic_quorum u8 (0 false, 1 true, 2 default) | notfound_ok u8 | head only u8 | has clock u8 | [clock]
/// put     w | dw | pw | flags u8 (1 body, 2 head, 4 if_none_match, 8 if_not_modified, 16 asis, 32 update) | clock | sibling | [operation | has clock u8 | [clock]]
/// delete  rw | r | pr | w | dw | pw | has clock u8 | [clock]
/// </code>
/// </summary>
internal static class KvRequestCodec
{
    private const byte GetCode = 1;
    private const byte PutCode = 2;
    private const byte DeleteCode = 3;

    [Flags]
    private enum PutFlags
    {
        None = 0,
        ReturnBody = 1,
        ReturnHead = 2,
        IfNoneMatch = 4,
        IfNotModified = 8,
        AsIs = 16,
        Update = 32,
        All = 63,
    }

    public static void Write(WireWriter writer, KvRequest request)
    {
        writer.U8(request switch
        {
            KvRequest.Get => GetCode,
            KvRequest.Put => PutCode,
            KvRequest.Delete => DeleteCode,
            _ => throw new UnreachableException(),
        });
        PeerFields.WriteKey(writer, request.Key);
        writer.I64(request.Timeout?.Ticks ?? -1);
        writer.Flag(request.SloppyQuorum);
        writer.Flag(request.IsForwarded);
        writer.I32(request.NVal ?? -1);
        writer.I32(request.NodeConfirms.Code);
        switch (request)
        {
            case KvRequest.Get get:
                WriteGet(writer, get);
                break;
            case KvRequest.Put put:
                WritePut(writer, put);
                break;
            case KvRequest.Delete delete:
                WriteDelete(writer, delete);
                break;
        }
    }

    /// <summary>What it returns counts only if the reader has not failed at the end.</summary>
    public static KvRequest? Read(ref WireReader reader)
    {
        var operation = reader.U8();
        var key = PeerFields.ReadKey(ref reader);
        var ticks = reader.I64();
        var common = new Common(
            key,
            ticks < 0 ? null : TimeSpan.FromTicks(ticks),
            reader.Flag(),
            reader.Flag(),
            ReadNVal(ref reader),
            ReadQuorum(ref reader));
        switch (operation)
        {
            case GetCode:
                return ReadGet(ref reader, common);
            case PutCode:
                return ReadPut(ref reader, common);
            case DeleteCode:
                return ReadDelete(ref reader, common);
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown operation {operation}"));
                return null;
        }
    }

    private readonly record struct Common(
        Core.Objects.ObjectKey Key, TimeSpan? Timeout, bool Sloppy, bool Forwarded, int? NVal, QuorumValue NodeConfirms);

    private static void WriteGet(WireWriter writer, KvRequest.Get get)
    {
        writer.I32(get.R.Code);
        writer.I32(get.Pr.Code);
        WriteChoice(writer, get.BasicQuorum);
        WriteChoice(writer, get.NotFoundOk);
        writer.Flag(get.HeadOnly);
        WriteClock(writer, get.IfModified);
    }

    private static KvRequest.Get ReadGet(ref WireReader reader, in Common common) => new()
    {
        Key = common.Key,
        Timeout = common.Timeout,
        SloppyQuorum = common.Sloppy,
        IsForwarded = common.Forwarded,
        NVal = common.NVal,
        NodeConfirms = common.NodeConfirms,
        R = ReadQuorum(ref reader),
        Pr = ReadQuorum(ref reader),
        BasicQuorum = ReadChoice(ref reader),
        NotFoundOk = ReadChoice(ref reader),
        HeadOnly = reader.Flag(),
        IfModified = reader.Flag() ? PeerFields.ReadClock(ref reader) : null,
    };

    private static void WritePut(WireWriter writer, KvRequest.Put put)
    {
        writer.I32(put.W.Code);
        writer.I32(put.Dw.Code);
        writer.I32(put.Pw.Code);
        writer.U8((byte)((put.ReturnBody ? PutFlags.ReturnBody : 0)
            | (put.ReturnHead ? PutFlags.ReturnHead : 0)
            | (put.IfNoneMatch ? PutFlags.IfNoneMatch : 0)
            | (put.IfNotModified ? PutFlags.IfNotModified : 0)
            | (put.AsIs ? PutFlags.AsIs : 0)
            | (put.Update is not null ? PutFlags.Update : 0)));
        PeerFields.WriteClock(writer, put.Context);
        PeerFields.WriteSibling(writer, put.Content);
        if (put.Update is { } update)
        {
            DataTypeOperationCodec.Write(writer, update.Operation);
            WriteClock(writer, update.Context);
        }
    }

    private static KvRequest.Put ReadPut(ref WireReader reader, in Common common)
    {
        var (w, dw, pw, flags) = (ReadQuorum(ref reader), ReadQuorum(ref reader), ReadQuorum(ref reader), (PutFlags)reader.U8());
        if ((flags & ~PutFlags.All) != 0)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown flags {(int)flags} of a put"));
        }

        return new KvRequest.Put
        {
            Key = common.Key,
            Timeout = common.Timeout,
            SloppyQuorum = common.Sloppy,
            IsForwarded = common.Forwarded,
            NVal = common.NVal,
            NodeConfirms = common.NodeConfirms,
            W = w,
            Dw = dw,
            Pw = pw,
            ReturnBody = flags.HasFlag(PutFlags.ReturnBody),
            ReturnHead = flags.HasFlag(PutFlags.ReturnHead),
            IfNoneMatch = flags.HasFlag(PutFlags.IfNoneMatch),
            IfNotModified = flags.HasFlag(PutFlags.IfNotModified),
            AsIs = flags.HasFlag(PutFlags.AsIs),
            Context = PeerFields.ReadClock(ref reader),
            Content = PeerFields.ReadSibling(ref reader),
            Update = flags.HasFlag(PutFlags.Update) ? ReadUpdate(ref reader) : null,
        };
    }

    private static DataTypeUpdate ReadUpdate(ref WireReader reader) =>
        new(DataTypeOperationCodec.Read(ref reader), reader.Flag() ? PeerFields.ReadClock(ref reader) : null);

    private static void WriteDelete(WireWriter writer, KvRequest.Delete delete)
    {
        writer.I32(delete.Rw.Code);
        writer.I32(delete.R.Code);
        writer.I32(delete.Pr.Code);
        writer.I32(delete.W.Code);
        writer.I32(delete.Dw.Code);
        writer.I32(delete.Pw.Code);
        WriteClock(writer, delete.Context);
    }

    private static KvRequest.Delete ReadDelete(ref WireReader reader, in Common common) => new()
    {
        Key = common.Key,
        Timeout = common.Timeout,
        SloppyQuorum = common.Sloppy,
        IsForwarded = common.Forwarded,
        NVal = common.NVal,
        NodeConfirms = common.NodeConfirms,
        Rw = ReadQuorum(ref reader),
        R = ReadQuorum(ref reader),
        Pr = ReadQuorum(ref reader),
        W = ReadQuorum(ref reader),
        Dw = ReadQuorum(ref reader),
        Pw = ReadQuorum(ref reader),
        Context = reader.Flag() ? PeerFields.ReadClock(ref reader) : null,
    };

    private static void WriteClock(WireWriter writer, Core.Causality.VersionVector? clock)
    {
        writer.Flag(clock is not null);
        if (clock is not null)
        {
            PeerFields.WriteClock(writer, clock);
        }
    }

    private static void WriteChoice(WireWriter writer, bool? value) => writer.U8(value switch { false => 0, true => 1, null => 2 });

    private static bool? ReadChoice(ref WireReader reader)
    {
        var code = reader.U8();
        if (code > 2)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"{code} is neither true, false nor default"));
        }

        return code == 2 ? null : code == 1;
    }

    private static int? ReadNVal(ref WireReader reader)
    {
        var value = reader.I32();
        if (value < -1)
        {
            reader.Fail(string.Create(CultureInfo.InvariantCulture, $"an n_val of {value}"));
        }

        return value < 0 ? null : value;
    }

    private static QuorumValue ReadQuorum(ref WireReader reader)
    {
        var code = reader.I32();
        if (code >= QuorumValue.Default.Code)
        {
            return QuorumValue.FromCode(code);
        }

        reader.Fail(string.Create(CultureInfo.InvariantCulture, $"{code} is no quorum"));
        return QuorumValue.Default;
    }
}
