using Google.Protobuf;
using Kv.Protos.Riak;

namespace Kv.Kubectl.Import;

/// <summary>What an import asks of a Riak cluster, by one <see cref="SourceCaller"/>. Untyped buckets are asked for without a type, as Riak 1.4 knows them.</summary>
internal sealed class RiakSource(SourceSettings settings, int first) : IDisposable
{
    public const string DefaultType = "default";

    /// <summary>What a node takes for a listing at most; Riak takes more.</summary>
    private const uint ListMilliseconds = 3_600_000;

    /// <summary>A coverage of a large cluster may think for long before it has a page; it says itself when its time is up.</summary>
    private static readonly TimeSpan ListPatience = TimeSpan.FromMilliseconds(ListMilliseconds) + TimeSpan.FromMinutes(1);

    /// <summary>Riak's word, as its number.</summary>
    private const uint Quorum = uint.MaxValue - 2;

    private readonly SourceCaller caller = new(settings, first);

    public Task<RpbGetServerInfoResp> ServerInfoAsync(CancellationToken cancel) => caller.AskAsync(7, null, 8, RpbGetServerInfoResp.Parser, cancel);

    public async Task<RpbBucketProps> TypePropsAsync(string type, CancellationToken cancel) =>
        (await caller.AskAsync(31, new RpbGetBucketTypeReq { Type = ByteString.CopyFromUtf8(type) }, 20, RpbGetBucketResp.Parser, cancel)).Props;

    public async Task<RpbBucketProps> BucketPropsAsync(BucketId bucket, CancellationToken cancel)
    {
        var request = new RpbGetBucketReq { Bucket = bucket.Name };
        if (bucket.Type != DefaultType)
        {
            request.Type = ByteString.CopyFromUtf8(bucket.Type);
        }

        return (await caller.AskAsync(19, request, 20, RpbGetBucketResp.Parser, cancel)).Props;
    }

    /// <summary>Begins a listing anew at the next address where one breaks off, each address once.</summary>
    public async Task<T> AnewAsync<T>(Func<Task<T>> list)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await list();
            }
            catch (CliException e) when (e.Code == ExitCode.Unavailable && attempt < caller.Addresses)
            {
                // The next may fare better.
            }
        }
    }

    public Task ListBucketsAsync(string type, Action<IEnumerable<ByteString>> take, CancellationToken cancel)
    {
        var request = new RpbListBucketsReq { Stream = true, Timeout = ListMilliseconds };
        if (type != DefaultType)
        {
            request.Type = ByteString.CopyFromUtf8(type);
        }

        return caller.StreamAsync(15, request, 16, RpbListBucketsResp.Parser, ListPatience, page => Taken(page.Buckets, page.Done, take), cancel);
    }

    public Task ListKeysAsync(BucketId bucket, Action<IEnumerable<ByteString>> take, CancellationToken cancel)
    {
        var request = new RpbListKeysReq { Bucket = bucket.Name, Timeout = ListMilliseconds };
        if (bucket.Type != DefaultType)
        {
            request.Type = ByteString.CopyFromUtf8(bucket.Type);
        }

        return caller.StreamAsync(17, request, 18, RpbListKeysResp.Parser, ListPatience, page => Taken(page.Keys, page.Done, take), cancel);
    }

    /// <summary>
    /// Without contents where it is deleted, or all replicas say that it is not there: that two say so may be that they missed its write, so then each is asked, and a replica without an answer is a failure.
    /// </summary>
    public async Task<RpbGetResp> GetAsync(BucketId bucket, ByteString key, CancellationToken cancel)
    {
        var request = new RpbGetReq { Bucket = bucket.Name, Key = key, R = Quorum };
        if (bucket.Type != DefaultType)
        {
            request.Type = ByteString.CopyFromUtf8(bucket.Type);
        }

        var found = await caller.AskAsync(9, request, 10, RpbGetResp.Parser, cancel);
        if (found.Content.Count > 0)
        {
            return found;
        }

        (request.R, request.NotfoundOk, request.BasicQuorum, request.Deletedvclock) = (1, false, false, true);
        return await caller.AskAsync(9, request, 10, RpbGetResp.Parser, cancel);
    }

    /// <summary>Without a value as <see cref="GetAsync"/> is without contents.</summary>
    public async Task<DtFetchResp> FetchAsync(BucketId bucket, ByteString key, CancellationToken cancel)
    {
        var request = new DtFetchReq { Bucket = bucket.Name, Key = key, Type = ByteString.CopyFromUtf8(bucket.Type), IncludeContext = false, R = Quorum };
        var found = await caller.AskAsync(80, request, 81, DtFetchResp.Parser, cancel);
        if (found.Value is not null)
        {
            return found;
        }

        (request.R, request.NotfoundOk, request.BasicQuorum) = (1, false, false);
        return await caller.AskAsync(80, request, 81, DtFetchResp.Parser, cancel);
    }

    public void Dispose() => caller.Dispose();

    private static bool Taken(IEnumerable<ByteString> names, bool isLast, Action<IEnumerable<ByteString>> take)
    {
        take(names);
        return isLast;
    }
}
