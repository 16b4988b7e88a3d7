using Kv.Cluster;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>GET and HEAD of an object (riak_kv_wm_object; reference 7.2).</summary>
internal sealed class ObjectReads(KvClient client)
{
    // hot
    public async Task GetAsync(HttpContext http, RiakPath path)
    {
        var query = new QueryOptions(http.Request);
        var get = ReadRequest(query, path) with { HeadOnly = HttpMethods.IsHead(http.Request.Method) };
        if (query.Fault is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        switch (await client.ExecuteAsync(get, http.RequestAborted))
        {
            case KvOutcome.Found found:
                await SendFoundAsync(http, path, found.Object, query.Text("vtag"));
                break;
            case KvOutcome.NotFound notFound:
                await SendNotFoundAsync(http, notFound);
                break;
            case KvOutcome.Failed failed:
                await http.SendAsync(HttpErrors.Of(failed.Error));
                break;
            case var outcome:
                throw new System.Diagnostics.UnreachableException($"a get ended in {outcome}");
        }
    }

    /// <summary>Sends an object, all its siblings or the one whose tag is asked for, unless a condition says otherwise.</summary>
    public static Task SendFoundAsync(HttpContext http, RiakPath path, KvObject found, string? vtag)
    {
        var chosen = found.Siblings is [var single] ? single : null;
        if (vtag is not null)
        {
            chosen = found.Siblings.FirstOrDefault(sibling => sibling.VTag == vtag);
            if (chosen is null)
            {
                return http.SendAsync(HttpErrors.NotFound);
            }
        }

        if (Conditions.Check(http.Request.Headers, found, chosen, isRead: true) is { } status)
        {
            SiblingAnswer.WriteObjectHeaders(http.Response, found, chosen);
            return status == StatusCodes.Status304NotModified ? http.SendNothingAsync(status) : http.SendAsync(HttpErrors.PreconditionFailed);
        }

        if (!SiblingAnswer.IsAcceptable(http.Request, found, chosen))
        {
            return http.SendAsync(HttpErrors.NotAcceptable);
        }

        return chosen is null
            ? SiblingAnswer.SendSiblingsAsync(http, path, found)
            : SiblingAnswer.SendValueAsync(http, path, found, chosen, StatusCodes.Status200OK);
    }

    /// <summary>A deleted object says so, with the context that a write over it takes.</summary>
    public static Task SendNotFoundAsync(HttpContext http, KvOutcome.NotFound notFound)
    {
        if (Conditions.Check(http.Request.Headers, null, null, isRead: true) is not null)
        {
            return http.SendAsync(HttpErrors.PreconditionFailed);
        }

        if (notFound.TombstoneContext is { } tombstone)
        {
            http.Response.Headers[RiakHeaders.Deleted] = "true";
            http.Response.Headers[RiakHeaders.VClock] = RiakHeaders.WriteContext(tombstone);
        }

        return http.SendAsync(HttpErrors.NotFound);
    }

    /// <summary>The read that a request's options ask for: a GET's own, or the one before a conditional write.</summary>
    public static KvRequest.Get ReadRequest(QueryOptions query, RiakPath path) => new()
    {
        Key = new ObjectKey(path.BucketType, path.Bucket, path.Key),
        R = query.Quorum("r"),
        Pr = query.Quorum("pr"),
        NodeConfirms = query.Quorum("node_confirms"),
        BasicQuorum = query.Boolean("basic_quorum"),
        NotFoundOk = query.Boolean("notfound_ok"),
        Timeout = query.Timeout(),
    };
}
