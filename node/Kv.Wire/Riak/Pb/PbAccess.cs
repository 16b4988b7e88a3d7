using System.Globalization;
using Google.Protobuf;
using Kv.Core.Objects;
using Kv.Core.Security;
using Kv.Protos.Riak;
using Kv.Wire.Access;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Security of a connection (riak_api_pb_server; reference 8.1, 11.3): where it is on, a client asks for TLS, then shows who it is, and is then served what it was granted. Where it is
/// off, it is asked for nothing.
/// </summary>
internal sealed class PbAccess(RiakPbDoors doors, RiakPbOptions options)
{
    private readonly AccessControl access = doors.Access;
    private readonly NodeTls? tls = doors.Tls;

    // hot
    public bool IsOn => access.IsOn;

    /// <summary>Where security is on: why a client is served nothing of this kind yet; null where it is.</summary>
    public string? WhyNotServed(PbCode code, PbSession session) => code switch
    {
        PbCode.StartTls => null,
        _ when !session.IsSecured => PbErrors.NeedsTls,
        PbCode.AuthReq => null,
        _ => WhyNobody(session),
    };

    /// <summary>Where security is on and the client has not shown who it is, or by means that hold no more: Riak's word for what it lacks. Null otherwise.</summary>
    // hot
    public string? WhyNobody(PbSession session) => !access.IsNobody(session.User) ? null : session.IsSecured ? PbErrors.NeedsUser : PbErrors.NeedsTls;

    /// <summary>Where security is on: why a client may not do what it asks for; null where it may.</summary>
    public string? WhyDenied(IMessage? request, PbSession session)
    {
        var (permissions, scope) = Needed(request);
        return permissions == Permissions.None ? null : access.WhyDenied(session.User, permissions, scope);
    }

    /// <summary>Why this node does no such query for anybody; null where it does.</summary>
    public string? WhyDisabled(RpbIndexReq query) => access.WhyDisabled(query.Stream ? JobClass.StreamSecondaryIndex : JobClass.SecondaryIndex);

    /// <summary>The answer to `RpbStartTls`: after it, TLS begins.</summary>
    public PbReply StartTls(PbSession session) =>
        !access.IsOn ? PbReply.Error(PbErrors.NoStartTls)
        : session.IsSecured ? PbReply.Error(PbErrors.HasTls)
        : tls is null ? PbReply.Error(PbErrors.NoCertificate)
        : PbReply.Empty(PbCode.StartTls) with { IsLast = true, StartsTls = true };

    public async ValueTask<PbReply> AuthenticateAsync(RpbAuthReq message, PbSession session)
    {
        if (!access.IsOn)
        {
            return PbReply.Error(PbErrors.NoAuthentication);
        }

        var credentials = new Credentials(message.User.ToStringUtf8(), message.Password.ToStringUtf8(), session.Peer, session.CommonName);
        switch (await access.AuthenticateAsync(credentials, session.Output.Gone))
        {
            case AccessAnswer.Known known:
                session.User = known.User;
                return PbReply.Empty(PbCode.AuthResp);
            case AccessAnswer.Overloaded:
                return PbReply.Error(PbErrors.Overload);
            default:
                session.Failures++;
                await Task.Delay(options.FailedAuthenticationDelay, options.Time, session.Output.Gone);
                return PbReply.Error(PbErrors.NotAuthenticated) with { IsLast = session.Failures >= options.MaxFailedAuthentications };
        }
    }

    /// <summary>What a request needs, and on what. What is not here needs no more than a user: it says nothing of any bucket.</summary>
    private static (Permissions Permissions, GrantScope Scope) Needed(IMessage? request) => request switch
    {
        RpbGetReq get => (Permissions.Get, On(get.HasType, get.Type, get.Bucket)),
        RpbPutReq put => (Permissions.Put, On(put.HasType, put.Type, put.Bucket)),
        RpbDelReq delete => (Permissions.Delete, On(delete.HasType, delete.Type, delete.Bucket)),
        DtFetchReq fetch => (Permissions.Get, On(isGiven: true, fetch.Type, fetch.Bucket)),
        DtUpdateReq update => (Permissions.Put, On(isGiven: true, update.Type, update.Bucket)),
        RpbCounterGetReq get => (Permissions.Get, On(isGiven: false, ByteString.Empty, get.Bucket)),
        RpbCounterUpdateReq update => (Permissions.Put, On(isGiven: false, ByteString.Empty, update.Bucket)),
        RpbListBucketsReq list => (Permissions.ListBuckets, GrantScope.OfType(TypeOf(list.HasType, list.Type))),
        RpbIndexReq query => (Permissions.Index, On(query.HasType, query.Type, query.Bucket)),
        RpbListKeysReq list => (Permissions.ListKeys, On(list.HasType, list.Type, list.Bucket)),
        RpbGetBucketReq get => (Permissions.GetBucket, On(get.HasType, get.Type, get.Bucket)),
        RpbSetBucketReq set => (Permissions.SetBucket, On(set.HasType, set.Type, set.Bucket)),
        RpbResetBucketReq reset => (Permissions.SetBucket, On(reset.HasType, reset.Type, reset.Bucket)),
        RpbGetBucketTypeReq get => (Permissions.GetBucketType, GrantScope.OfType(TypeOf(isGiven: true, get.Type))),
        RpbSetBucketTypeReq set => (Permissions.SetBucketType, GrantScope.OfType(TypeOf(isGiven: true, set.Type))),
        RpbGetBucketKeyPreflistReq preflist => (Permissions.GetPreflist, On(preflist.HasType, preflist.Type, preflist.Bucket)),
        // Of a MapReduce job by what it names: once it is read.
        null or RpbSetClientIdReq or RpbAuthReq or RpbMapRedReq => (Permissions.None, GrantScope.Any),
        _ => throw new System.Diagnostics.UnreachableException(string.Create(CultureInfo.InvariantCulture, $"no permission is named for {request.GetType().Name}")),
    };

    private static GrantScope On(bool isGiven, ByteString type, ByteString bucket) => GrantScope.OfBucket(new BucketName(TypeOf(isGiven, type), bucket.Memory));

    private static string TypeOf(bool isGiven, ByteString type) => isGiven && !type.IsEmpty ? type.ToStringUtf8() : ObjectKey.DefaultType;
}
