using System.Buffers;
using Google.Protobuf;
using Kv.Protos.Riak;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Takes each message to its family by its code. One place catches what must not pass: a message that cannot be read, and a bug, end the connection with an error;
/// details of a bug are in the log alone.
/// </summary>
internal sealed partial class PbDispatch(RiakPbDoors doors, RiakPbOptions options, ILogger<PbDispatch> log)
{
    private readonly PbObjects objects = new(doors.Client);
    private readonly PbBuckets buckets = new(doors.Admin);
    private readonly PbListings listings = new(doors.Client, doors.Admin, options);
    private readonly PbIndexes indexes = new(doors.Client, options);
    private readonly PbDataTypes dataTypes = new(doors.Client, doors.Admin);
    private readonly PbCounters counters = new(doors.Client);
    private readonly PbServer server = new(doors, options);

    /// <summary>Carries out one request and gives the last frame of its answer. The message's bytes are not touched after the first await.</summary>
    // hot
    public async ValueTask<PbReply> HandleAsync(PbCode code, ReadOnlySequence<byte> message, PbSession session)
    {
        try
        {
            return await RouteAsync(code, message, session);
        }
        catch (InvalidProtocolBufferException malformed)
        {
            return PbReply.Error(PbErrors.Malformed(malformed.Message)) with { IsLast = true };
        }
        catch (OperationCanceledException)
        {
            throw;
        }
        catch (Exception bug)
        {
            LogUnexpected(bug, code);
            return PbReply.Error(PbErrors.Internal) with { IsLast = true };
        }
    }

    private ValueTask<PbReply> RouteAsync(PbCode code, in ReadOnlySequence<byte> message, PbSession session) => code switch
    {
        PbCode.GetReq => objects.GetAsync(RpbGetReq.Parser.ParseFrom(message)),
        PbCode.PutReq => RpbPutReq.Parser.ParseFrom(message) is { Content: not null } put ? objects.PutAsync(put) : new(Incomplete("RpbPutReq has no content")),
        PbCode.DelReq => objects.DeleteAsync(RpbDelReq.Parser.ParseFrom(message)),
        PbCode.PingReq => new(PbReply.Empty(PbCode.PingResp)),
        PbCode.GetServerInfoReq => new(server.Info()),
        PbCode.GetClientIdReq => new(new PbReply(PbCode.GetClientIdResp, new RpbGetClientIdResp { ClientId = session.ClientId })),
        PbCode.SetClientIdReq => new(SetClientId(RpbSetClientIdReq.Parser.ParseFrom(message), session)),
        PbCode.ListBucketsReq => listings.BucketsAsync(RpbListBucketsReq.Parser.ParseFrom(message), session.Output),
        PbCode.ListKeysReq => listings.KeysAsync(RpbListKeysReq.Parser.ParseFrom(message), session.Output),
        PbCode.IndexReq => indexes.QueryAsync(RpbIndexReq.Parser.ParseFrom(message), session.Output),
        PbCode.GetBucketReq => new(buckets.Get(RpbGetBucketReq.Parser.ParseFrom(message))),
        PbCode.SetBucketReq => RpbSetBucketReq.Parser.ParseFrom(message) is { Props: not null } set ? buckets.SetAsync(set) : new(Incomplete("RpbSetBucketReq has no props")),
        PbCode.ResetBucketReq => buckets.ResetAsync(RpbResetBucketReq.Parser.ParseFrom(message)),
        PbCode.GetBucketTypeReq => new(buckets.GetType(RpbGetBucketTypeReq.Parser.ParseFrom(message))),
        PbCode.SetBucketTypeReq => RpbSetBucketTypeReq.Parser.ParseFrom(message) is { Props: not null } set
            ? buckets.SetTypeAsync(set)
            : new(Incomplete("RpbSetBucketTypeReq has no props")),
        PbCode.GetBucketKeyPreflistReq => new(server.Preflist(RpbGetBucketKeyPreflistReq.Parser.ParseFrom(message))),
        PbCode.CounterGetReq => counters.GetAsync(RpbCounterGetReq.Parser.ParseFrom(message)),
        PbCode.CounterUpdateReq => counters.UpdateAsync(RpbCounterUpdateReq.Parser.ParseFrom(message)),
        PbCode.DtFetchReq => dataTypes.FetchAsync(DtFetchReq.Parser.ParseFrom(message)),
        PbCode.DtUpdateReq => DtUpdateReq.Parser.ParseFrom(message) is { Op: not null } update ? dataTypes.UpdateAsync(update) : new(Incomplete("DtUpdateReq has no op")),
        PbCode.StartTls => new(PbReply.Error(PbErrors.NoStartTls)),
        _ => new(PbReply.Error(PbErrors.UnknownCode((byte)code))),
    };

    /// <summary>The parser does not ask for what is required; of bytes, none is as good as an empty one, and refused as such.</summary>
    private static PbReply Incomplete(string what) => PbReply.Error(PbErrors.Malformed(what)) with { IsLast = true };

    /// <summary>Clocks are the vnodes' affair; the id is kept for the clients that ask for it again.</summary>
    private static PbReply SetClientId(RpbSetClientIdReq message, PbSession session)
    {
        session.ClientId = message.ClientId;
        return PbReply.Empty(PbCode.SetClientIdResp);
    }

    [LoggerMessage(2301, LogLevel.Error, "a request with code {Code} failed")]
    private partial void LogUnexpected(Exception bug, PbCode code);
}
