using Kv.Cluster;
using Kv.Core.Causality;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>PUT, POST and DELETE of an object (riak_kv_wm_object; reference 7.2). Everything that can be judged without the body is judged before it is read.</summary>
internal sealed class ObjectWrites(KvClient client, RequestBody bodies, RiakHttpOptions options)
{
    /// <summary>Stores under the path's key, or under a new one where the path has none.</summary>
    // hot
    public async Task PutAsync(HttpContext http, RiakPath path)
    {
        var isNewKey = path.Resource != RiakResource.Object;
        path = isNewKey ? path with { Key = GeneratedKey.New() } : path;
        var query = new QueryOptions(http.Request);
        var put = PutRequest(http.Request, query, path, out var headerFault, out var condition);
        if ((query.Fault ?? headerFault) is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        if (await ConditionFaultAsync(http, query, path, condition) is { } unmet)
        {
            await http.SendAsync(unmet);
            return;
        }

        using var body = await bodies.ReadAsync(http, options.MaxObjectBytes, HttpErrors.ObjectTooLarge(options.MaxObjectBytes));
        if (body.Fault is not null)
        {
            await http.SendAndCloseAsync(body.Fault);
            return;
        }

        put = put with { Content = put.Content with { Value = body.Bytes } };
        await AnswerAsync(http, path, isNewKey, await client.ExecuteAsync(put, http.RequestAborted));
    }

    public async Task DeleteAsync(HttpContext http, RiakPath path)
    {
        var query = new QueryOptions(http.Request);
        var context = RiakHeaders.ReadContext(http.Request.Headers, RiakHeaders.VClock, out var headerFault);
        var delete = new KvRequest.Delete
        {
            Key = new ObjectKey(path.BucketType, path.Bucket, path.Key),
            Context = context,
            Rw = query.Quorum("rw"),
            R = query.Quorum("r"),
            Pr = query.Quorum("pr"),
            W = query.Quorum("w"),
            Dw = query.Quorum("dw"),
            Pw = query.Quorum("pw"),
            NodeConfirms = query.Quorum("node_confirms"),
            Timeout = query.Timeout(),
        };
        query.CheckSyncOnWrite();
        if ((query.Fault ?? headerFault ?? await ConditionFaultAsync(http, query, path, null)) is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        await (await client.ExecuteAsync(delete, http.RequestAborted) switch
        {
            KvOutcome.Deleted => http.SendNothingAsync(StatusCodes.Status204NoContent),
            KvOutcome.NotFound notFound => ObjectReads.SendNotFoundAsync(http, notFound),
            KvOutcome.Failed failed => http.SendAsync(HttpErrors.OfWrite(failed.Error, http.Request.Method)),
            var outcome => throw new System.Diagnostics.UnreachableException($"a delete ended in {outcome}"),
        });
    }

    private static Task AnswerAsync(HttpContext http, RiakPath path, bool isNewKey, KvOutcome outcome)
    {
        if (outcome is KvOutcome.Failed failed)
        {
            return http.SendAsync(HttpErrors.OfWrite(failed.Error, http.Request.Method));
        }

        if (isNewKey)
        {
            http.Response.Headers.Location = path.PathOf(path.Key);
        }

        return outcome switch
        {
            KvOutcome.Stored { Object: null } => http.SendNothingAsync(isNewKey ? StatusCodes.Status201Created : StatusCodes.Status204NoContent),
            KvOutcome.Stored { Object.Siblings: [var single] } stored =>
                SiblingAnswer.SendValueAsync(http, path, stored.Object, single, isNewKey ? StatusCodes.Status201Created : StatusCodes.Status200OK),
            KvOutcome.Stored { Object: { } several } => SiblingAnswer.SendSiblingsAsync(http, path, several),
            _ => throw new System.Diagnostics.UnreachableException($"a put ended in {outcome}"),
        };
    }

    /// <summary>
    /// The write, still without its value. <paramref name="condition"/> is the clock of `X-Riak-If-Not-Modified` where the store cannot check it in the write,
    /// because the write goes under another context.
    /// </summary>
    private static KvRequest.Put PutRequest(HttpRequest request, QueryOptions query, RiakPath path, out HttpFault? fault, out VersionVector? condition)
    {
        var headers = request.Headers;
        var context = RiakHeaders.ReadContext(headers, RiakHeaders.VClock, out var contextFault);
        var expected = RiakHeaders.ReadContext(headers, RiakHeaders.IfNotModified, out var expectedFault);
        var metadata = RiakHeaders.ReadMetadata(request, out var metadataFault);
        fault = metadataFault ?? contextFault ?? expectedFault;
        var isInWrite = expected is not null && (context is null || context.SameHistory(expected));
        condition = isInWrite ? null : expected;
        query.CheckSyncOnWrite();
        return new KvRequest.Put
        {
            Key = new ObjectKey(path.BucketType, path.Bucket, path.Key),
            Content = new Sibling { Dot = null, Metadata = metadata ?? ObjectMetadata.Empty },
            Context = context ?? expected ?? VersionVector.Empty,
            W = query.Quorum("w"),
            Dw = query.Quorum("dw"),
            Pw = query.Quorum("pw"),
            NodeConfirms = query.Quorum("node_confirms"),
            Timeout = query.Timeout(),
            ReturnBody = query.Boolean("returnbody") ?? false,
            AsIs = query.Boolean("asis") ?? false,
            IfNotModified = isInWrite,
            IfNoneMatch = headers.IfNoneMatch.Count > 0 && Conditions.IsAny(headers.IfNoneMatch),
        };
    }

    /// <summary>
    /// Conditions that need the stored object's tag, time or clock: a read before the write, as in Riak, and no more atomic than there.
    /// </summary>
    private async ValueTask<HttpFault?> ConditionFaultAsync(HttpContext http, QueryOptions query, RiakPath path, VersionVector? expected)
    {
        var headers = http.Request.Headers;
        var isDelete = HttpMethods.IsDelete(http.Request.Method);
        if (expected is null && !Conditions.NeedObject(headers) && !(isDelete && headers.IfNoneMatch.Count > 0))
        {
            return null;
        }

        var read = ObjectReads.ReadRequest(query, path) with { HeadOnly = true };
        if (query.Fault is { } fault)
        {
            return fault;
        }

        var outcome = await client.ExecuteAsync(read, http.RequestAborted);
        if (outcome is KvOutcome.Failed failed)
        {
            return HttpErrors.Of(failed.Error);
        }

        var found = (outcome as KvOutcome.Found)?.Object;
        if (Conditions.Check(headers, found, null, isRead: false) is not null)
        {
            return HttpErrors.PreconditionFailed;
        }

        return expected is null || found?.Clock.SameHistory(expected) == true ? null : HttpErrors.Of(new KvError.Modified());
    }
}
