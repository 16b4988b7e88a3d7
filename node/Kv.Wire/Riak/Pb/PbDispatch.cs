using System.Buffers;
using Google.Protobuf;
using Kv.Protos.Riak;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Takes each message to its family by its code. One place catches what must not pass: a message that cannot be read, and a bug, end the connection with an error;
/// details of a bug are in the log alone.
/// </summary>
internal sealed partial class PbDispatch(RiakPbDoors doors, RiakPbOptions options, RequestMemory memory, ILogger<PbDispatch> log)
{
    private readonly PbObjects objects = new(doors.Client);
    private readonly PbBuckets buckets = new(doors.Admin);
    private readonly PbListings listings = new(doors.Client, doors.Admin, doors.Access, options);
    private readonly PbIndexes indexes = new(doors.Client, options);
    private readonly PbMapReduce mapReduce = new(doors, memory, options);
    private readonly PbDataTypes dataTypes = new(doors.Client, doors.Admin);
    private readonly PbCounters counters = new(doors.Client, doors.Admin);
    private readonly PbServer server = new(doors, options);
    private readonly PbAccess access = new(doors, options);

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
        catch (OutOfMemoryException)
        {
            return PbReply.Error(PbErrors.Overload);
        }
        catch (Exception bug)
        {
            LogUnexpected(bug, code);
            return PbReply.Error(PbErrors.Internal) with { IsLast = true };
        }
    }

    /// <summary>Where security is on and the client is nobody: Riak's word for what it lacks. Null otherwise.</summary>
    // hot
    public string? WhyNobody(PbSession session) => access.WhyNobody(session);

    // hot
    private ValueTask<PbReply> RouteAsync(PbCode code, in ReadOnlySequence<byte> message, PbSession session)
    {
        if (!access.IsOn)
        {
            return CarryOutAsync(code, PbMessages.Parse(code, message), session);
        }

        if (access.WhyNotServed(code, session) is { } unserved)
        {
            return new(PbReply.Error(unserved));
        }

        var request = PbMessages.Parse(code, message);
        return access.WhyDenied(request, session) is { } denied ? new(PbReply.Error(denied)) : CarryOutAsync(code, request, session);
    }

    // hot
    private ValueTask<PbReply> CarryOutAsync(PbCode code, IMessage? request, PbSession session) => request switch
    {
        RpbGetReq get => objects.GetAsync(get),
        RpbPutReq put => put.Content is null ? new(Incomplete("RpbPutReq has no content")) : objects.PutAsync(put),
        RpbDelReq delete => objects.DeleteAsync(delete),
        DtFetchReq fetch => dataTypes.FetchAsync(fetch),
        DtUpdateReq update => update.Op is null ? new(Incomplete("DtUpdateReq has no op")) : dataTypes.UpdateAsync(update),
        RpbCounterGetReq get => counters.GetAsync(get),
        RpbCounterUpdateReq update => counters.UpdateAsync(update),
        RpbSetClientIdReq set => new(SetClientId(set, session)),
        RpbListBucketsReq list => listings.BucketsAsync(list, session.Output),
        RpbListKeysReq list => listings.KeysAsync(list, session.Output),
        RpbIndexReq query => access.WhyDisabled(query) is { } disabled ? new(PbReply.Error(disabled)) : indexes.QueryAsync(query, session.Output),
        RpbMapRedReq job => mapReduce.RunAsync(job, session),
        RpbGetBucketReq get => new(buckets.Get(get)),
        RpbSetBucketReq set => set.Props is null ? new(Incomplete("RpbSetBucketReq has no props")) : buckets.SetAsync(set),
        RpbResetBucketReq reset => buckets.ResetAsync(reset),
        RpbGetBucketTypeReq get => new(buckets.GetType(get)),
        RpbSetBucketTypeReq set => set.Props is null ? new(Incomplete("RpbSetBucketTypeReq has no props")) : buckets.SetTypeAsync(set),
        RpbGetBucketKeyPreflistReq preflist => new(server.Preflist(preflist)),
        RpbAuthReq authenticate => access.AuthenticateAsync(authenticate, session),
        _ => code switch
        {
            PbCode.PingReq => new(PbReply.Empty(PbCode.PingResp)),
            PbCode.GetServerInfoReq => new(server.Info()),
            PbCode.GetClientIdReq => new(new PbReply(PbCode.GetClientIdResp, new RpbGetClientIdResp { ClientId = session.ClientId })),
            PbCode.StartTls => new(access.StartTls(session)),
            _ => new(PbReply.Error(PbErrors.UnknownCode((byte)code))),
        },
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
