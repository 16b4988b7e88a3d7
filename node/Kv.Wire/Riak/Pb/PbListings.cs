using System.Globalization;
using Google.Protobuf;
using Google.Protobuf.Collections;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Objects;
using Kv.Protos.Riak;
using Kv.Wire.Access;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// Listings of buckets and keys (riak_kv_pb_bucket; reference 8.3). A stream is sent page by page as fast as its client takes it, and ends with the connection; one that
/// fails ends with an error in the place of its last message. A listing that is to be one message is bounded as a message is.
/// </summary>
internal sealed class PbListings(KvClient client, ClusterAdmin admin, AccessControl access, RiakPbOptions options)
{
    public async ValueTask<PbReply> BucketsAsync(RpbListBucketsReq message, PbOutput output)
    {
        var fields = new PbFields();
        var type = fields.BucketType(message.HasType, message.Type);
        var job = message.Stream ? JobClass.StreamListBuckets : JobClass.ListBuckets;
        if ((fields.Fault ?? access.WhyDisabled(job) ?? WhyNotListed(type)) is { } fault)
        {
            return PbReply.Error(fault);
        }

        var pages = client.ListBucketsAsync(type, PbFields.Timeout(message.Timeout), output.Gone);
        return message.Stream
            ? await StreamAsync(pages, output, PbCode.ListBucketsResp, BucketsPage, new RpbListBucketsResp { Done = true })
            : await GatherAsync(pages);
    }

    public async ValueTask<PbReply> KeysAsync(RpbListKeysReq message, PbOutput output)
    {
        var fields = new PbFields();
        var type = fields.BucketType(message.HasType, message.Type);
        if (message.Bucket.IsEmpty)
        {
            fields.Refuse(PbErrors.EmptyBucket);
        }

        if ((fields.Fault ?? access.WhyDisabled(JobClass.StreamListKeys) ?? WhyNotListed(type)) is { } fault)
        {
            return PbReply.Error(fault);
        }

        var pages = client.ListKeysAsync(new BucketName(type, message.Bucket.Memory), PbFields.Timeout(message.Timeout), output.Gone);
        return await StreamAsync(pages, output, PbCode.ListKeysResp, KeysPage, new RpbListKeysResp { Done = true });
    }

    private static RpbListBucketsResp BucketsPage(IReadOnlyList<ReadOnlyMemory<byte>> names)
    {
        var page = new RpbListBucketsResp();
        Add(page.Buckets, names);
        return page;
    }

    private static RpbListKeysResp KeysPage(IReadOnlyList<ReadOnlyMemory<byte>> names)
    {
        var page = new RpbListKeysResp();
        Add(page.Keys, names);
        return page;
    }

    private static async ValueTask<PbReply> StreamAsync(
        IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> pages, PbOutput output, PbCode code, Func<IReadOnlyList<ReadOnlyMemory<byte>>, IMessage> toMessage, IMessage last)
    {
        try
        {
            await foreach (var page in pages)
            {
                if (page.Count > 0)
                {
                    await output.WriteAsync(new PbReply(code, toMessage(page)));
                }
            }
        }
        catch (ListingFailedException failure)
        {
            return PbReply.Error(PbErrors.Of(failure.Error));
        }

        return new PbReply(code, last);
    }

    private async ValueTask<PbReply> GatherAsync(IAsyncEnumerable<IReadOnlyList<ReadOnlyMemory<byte>>> pages)
    {
        var all = new RpbListBucketsResp();
        var bytes = 0L;
        try
        {
            await foreach (var page in pages)
            {
                Add(all.Buckets, page);
                bytes += page.Sum(name => name.Length + PbFrame.HeaderBytes);
                if (bytes > options.MaxFrameBytes)
                {
                    return PbReply.Error(string.Create(
                        CultureInfo.InvariantCulture, $"more buckets than a message of {options.MaxFrameBytes} bytes holds: ask for a stream"));
                }
            }
        }
        catch (ListingFailedException failure)
        {
            return PbReply.Error(PbErrors.Of(failure.Error));
        }

        return new PbReply(PbCode.ListBucketsResp, all);
    }

    private static void Add(RepeatedField<ByteString> field, IReadOnlyList<ReadOnlyMemory<byte>> names)
    {
        foreach (var name in names)
        {
            field.Add(PbFields.Wrap(name));
        }
    }

    /// <summary>A type that is not active does not exist for clients.</summary>
    private string? WhyNotListed(string bucketType)
    {
        var known = admin.GetBucketType(bucketType);
        return known.IsOk && known.Value.Stage == BucketTypeStage.Active ? null
            : known.IsOk ? PbErrors.NoBucketType(bucketType)
            : PbErrors.Of(known.Refusal, bucketType);
    }
}
