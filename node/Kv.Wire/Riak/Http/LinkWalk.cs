using System.Text;
using Kv.Cluster;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Follows an object's links, step by step, and answers with what the steps to keep have found: multipart/mixed with a part per such step, each multipart/mixed with a part per object, or
/// per sibling of one (riak_kv_wm_link_walker; reference 7.2). Links name untyped buckets, so that a walk leads there. What is linked and not there is passed over.
/// Objects are read one after another, and those that are not kept without their values. How many, how much of them, how long reading and sending take, and how many walks are under way
/// at once is bounded.
/// </summary>
internal sealed class LinkWalk(KvClient client, TimeProvider time, RiakHttpOptions options)
{
    private const int MaxObjects = 1000;

    private int underWay;

    private sealed class Walk(Deadline deadline)
    {
        public Deadline Deadline { get; } = deadline;

        public List<List<(RiakPath Path, KvObject Object)>> Kept { get; } = [];

        public int Objects { get; set; }

        /// <summary>Of all objects read, as they are stored, values only where they were read. What is not kept counts too: its links and metadata are held for the next step.</summary>
        public long Bytes { get; private set; }

        public void Count(KvObject read) => Bytes += ObjectCodec.EncodeHead(read).Length + read.Siblings.Sum(sibling => (long)sibling.Value.Length);
    }

    /// <summary>The query's `timeout`, or the default of a request, is for all of the walk.</summary>
    public async Task GetAsync(HttpContext http, RiakPath path)
    {
        var query = new QueryOptions(http.Request);
        var timeout = query.Timeout() ?? client.RequestTimeout;
        if (query.Fault is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        var steps = new List<LinkStep>();
        foreach (var segment in path.Steps!)
        {
            if (LinkStep.Parse(segment, isLast: steps.Count == path.Steps.Length - 1) is not { } step)
            {
                await http.SendAsync(HttpErrors.BadStep(segment));
                return;
            }

            steps.Add(step);
        }

        try
        {
            await (Interlocked.Increment(ref underWay) > options.MaxWalks
                ? http.SendAsync(HttpErrors.Of(new KvError.Overload(Indeterminate: false)))
                : WalkAsync(http, path, steps, new Walk(Deadline.After(time, timeout))));
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    }

    private async Task WalkAsync(HttpContext http, RiakPath path, List<LinkStep> steps, Walk walk)
    {
        switch (await ReadAsync(http, KeyOf(path), headOnly: true, walk))
        {
            case KvOutcome.Found found:
                await (await FollowAsync(http, path.Form, found.Object, steps, walk) is { } fault ? http.SendAsync(fault) : SendAsync(http, walk));
                break;
            case KvOutcome.NotFound notFound:
                await ObjectReads.SendNotFoundAsync(http, notFound);
                break;
            case KvOutcome.Failed failed:
                await http.SendAsync(HttpErrors.Of(failed.Error));
                break;
        }
    }

    /// <summary>Takes all steps; why not, where one cannot be taken.</summary>
    private async Task<HttpFault?> FollowAsync(HttpContext http, RiakPathForm form, KvObject start, List<LinkStep> steps, Walk walk)
    {
        List<KvObject> from = [start];
        foreach (var step in steps)
        {
            var reached = new List<(RiakPath Path, KvObject Object)>();
            foreach (var path in Targets(from, step).Select(target => Linked(form, target.Bucket, target.Key)))
            {
                // Other protocols take links to what no object can be named.
                var key = KeyOf(path);
                if (!key.IsValid(out _))
                {
                    continue;
                }

                if (++walk.Objects > MaxObjects)
                {
                    return HttpErrors.WalkTooLong(MaxObjects, options.MaxObjectBytes);
                }

                var outcome = await ReadAsync(http, key, headOnly: !step.Keep, walk);
                if (outcome is KvOutcome.Failed failed)
                {
                    return HttpErrors.Of(failed.Error);
                }

                if (outcome is KvOutcome.Found found)
                {
                    reached.Add((path, found.Object));
                }

                if (walk.Bytes > options.MaxObjectBytes)
                {
                    return HttpErrors.WalkTooLong(MaxObjects, options.MaxObjectBytes);
                }
            }

            if (step.Keep)
            {
                walk.Kept.Add(reached);
            }

            from = [.. reached.Select(one => one.Object)];
        }

        return null;
    }

    /// <summary>Where a step leads from some objects, each once, in the order of their links.</summary>
    private static IEnumerable<(string Bucket, string Key)> Targets(List<KvObject> from, LinkStep step) => from
        .SelectMany(one => one.Siblings)
        .SelectMany(sibling => sibling.Metadata.Links)
        .Where(link => (step.Bucket is null || link.Bucket == step.Bucket) && (step.Tag is null || link.Tag == step.Tag))
        .Select(link => (link.Bucket, link.Key))
        .Distinct();

    private static RiakPath Linked(RiakPathForm form, string bucket, string key) => new(
        RiakResource.Object, form == RiakPathForm.Old ? form : RiakPathForm.Untyped, ObjectKey.DefaultType, Encoding.UTF8.GetBytes(bucket), Encoding.UTF8.GetBytes(key));

    private static ObjectKey KeyOf(in RiakPath path) => new(path.BucketType, path.Bucket, path.Key);

    private async ValueTask<KvOutcome> ReadAsync(HttpContext http, ObjectKey key, bool headOnly, Walk walk)
    {
        var left = walk.Deadline.Left(time);
        if (left == TimeSpan.Zero)
        {
            return new KvOutcome.Failed(new KvError.Timeout(Indeterminate: false));
        }

        var outcome = await client.ExecuteAsync(new KvRequest.Get { Key = key, HeadOnly = headOnly, Timeout = left }, http.RequestAborted);
        if (outcome is KvOutcome.Found found)
        {
            walk.Count(found.Object);
        }

        return outcome;
    }

    /// <summary>What was gathered is held until it is sent: a client that does not take it in time loses its connection, and gives its place to another walk.</summary>
    private async Task SendAsync(HttpContext http, Walk walk)
    {
        using var late = new CancellationTokenSource(client.RequestTimeout + TimeSpan.FromSeconds((double)walk.Bytes / options.LeastBytesPerSecond), time);
        await using var end = late.Token.UnsafeRegister(static http => ((HttpContext)http!).Abort(), http);
        var boundary = SiblingAnswer.NewBoundary();
        http.Response.ContentType = $"{SiblingAnswer.Multipart}; boundary={boundary}";
        http.Response.VaryByEncoding();
        if (HttpMethods.IsHead(http.Request.Method))
        {
            return;
        }

        foreach (var step in walk.Kept)
        {
            var inner = SiblingAnswer.NewBoundary();
            await WriteAsync(http, $"\r\n--{boundary}\r\nContent-Type: {SiblingAnswer.Multipart}; boundary={inner}\r\n\r\n");
            foreach (var (path, found) in step)
            {
                var leading = $"{RiakHeaders.VClock}: {RiakHeaders.WriteContext(found.Clock)}\r\nLocation: {path.PathOf(path.Key)}\r\n";
                await SiblingAnswer.WritePartsAsync(http, path, found, inner, leading);
            }

            await WriteAsync(http, $"\r\n--{inner}--\r\n");
        }

        await WriteAsync(http, $"\r\n--{boundary}--\r\n");
    }

    private static async Task WriteAsync(HttpContext http, string text) => await http.Response.BodyWriter.WriteAsync(Encoding.ASCII.GetBytes(text), http.RequestAborted);
}
