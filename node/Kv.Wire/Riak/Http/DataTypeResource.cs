using System.Buffers;
using System.Diagnostics;
using System.Text.Json;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.Causality;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>Fetch and update of data types (riak_kv_wm_crdt; reference 5.3): `…/buckets/B/datatypes/K`, and `…/buckets/B/datatypes` for a key that the node makes.</summary>
internal sealed class DataTypeResource(KvClient client, ClusterAdmin admin, RequestBody bodies, RiakHttpOptions options)
{
    public async Task GetAsync(HttpContext http, RiakPath path)
    {
        if (IsMoved(path))
        {
            await SendMovedAsync(http, path);
            return;
        }

        var query = new QueryOptions(http.Request);
        var get = ObjectReads.ReadRequest(query, path);
        var withContext = query.Boolean("include_context") ?? true;
        var props = PropsOf(path, out var fault);
        if ((query.Fault ?? fault) is { } refused)
        {
            await http.SendAsync(refused);
            return;
        }

        await (await client.ExecuteAsync(get, http.RequestAborted) switch
        {
            KvOutcome.Found found => SendAsync(http, StatusCodes.Status200OK, found.Object, props!, withContext),
            KvOutcome.NotFound => http.SendAsync(HttpErrors.NoDataTypeThere(props!.DataType!)),
            KvOutcome.Failed failed => http.SendAsync(HttpErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a fetch ended in {outcome}"),
        });
    }

    public async Task PostAsync(HttpContext http, RiakPath path)
    {
        if (IsMoved(path))
        {
            await SendMovedAsync(http, path);
            return;
        }

        var isNewKey = path.Resource == RiakResource.DataTypes;
        path = isNewKey ? path with { Key = GeneratedKey.New() } : path;
        var query = new QueryOptions(http.Request);
        var put = UpdateRequest(query, path, "returnbody");
        var withContext = query.Boolean("include_context") ?? true;
        var props = PropsOf(path, out var fault);
        if ((query.Fault ?? fault ?? (IsJson(http.Request) ? null : HttpErrors.UpdateNotJson)) is { } refused)
        {
            await http.SendAsync(refused);
            return;
        }

        using var body = await bodies.ReadJsonAsync(http, options.MaxObjectBytes, HttpErrors.ObjectTooLarge(options.MaxObjectBytes), DataTypeUpdateJson.MaxDepth);
        if (body.Fault is not null)
        {
            await http.SendAndCloseAsync(body.Fault);
            return;
        }

        var json = new DataTypeUpdateJson();
        if (json.Read(body.Bytes, DataTypeObject.KindOf(props!)!.Value) is not { } update)
        {
            await http.SendAsync(json.Fault!);
            return;
        }

        await AnswerAsync(http, path, isNewKey, await client.ExecuteAsync(put with { Update = update }, http.RequestAborted), props!, withContext);
    }

    /// <summary>All of an update but what it does.</summary>
    public static KvRequest.Put UpdateRequest(QueryOptions query, RiakPath path, string returnOption) => new()
    {
        Key = new ObjectKey(path.BucketType, path.Bucket, path.Key),
        Content = new Sibling { Dot = null },
        Context = VersionVector.Empty,
        W = query.Quorum("w"),
        Dw = query.Quorum("dw"),
        Pw = query.Quorum("pw"),
        NodeConfirms = query.Quorum("node_confirms"),
        Timeout = query.Timeout(),
        ReturnBody = query.Boolean(returnOption) ?? false,
    };

    private static Task AnswerAsync(HttpContext http, RiakPath path, bool isNewKey, KvOutcome outcome, BucketProps props, bool withContext)
    {
        if (outcome is KvOutcome.Failed failed)
        {
            return http.SendAsync(HttpErrors.Of(failed.Error));
        }

        if (isNewKey)
        {
            http.Response.Headers.Location = path.PathOf(path.Key);
        }

        return outcome switch
        {
            KvOutcome.Stored { Object: null } => http.SendNothingAsync(isNewKey ? StatusCodes.Status201Created : StatusCodes.Status204NoContent),
            KvOutcome.Stored { Object: { } stored } => SendAsync(http, isNewKey ? StatusCodes.Status201Created : StatusCodes.Status200OK, stored, props, withContext),
            _ => throw new UnreachableException($"an update ended in {outcome}"),
        };
    }

    private static Task SendAsync(HttpContext http, int status, KvObject held, BucketProps props, bool withContext)
    {
        if (DataTypeObject.Read(held, props, out _) is not { } state)
        {
            return http.SendAsync(HttpErrors.NoDataType(props.DataType));
        }

        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            if (!DataTypeJson.TryWrite(json, state, withContext))
            {
                return http.SendAsync(HttpErrors.NotText);
            }
        }

        return http.SendAsync(status, "application/json", buffer.WrittenMemory);
    }

    /// <summary>The data type of untyped buckets is the counter of Riak 1.4, which has a path of its own.</summary>
    private static bool IsMoved(in RiakPath path) => path is { Resource: RiakResource.DataType, Form: RiakPathForm.Typed, BucketType: ObjectKey.DefaultType };

    private static Task SendMovedAsync(HttpContext http, in RiakPath path)
    {
        http.Response.Headers.Location = $"/buckets/{PercentEncoding.Encode(path.Bucket)}/counters/{PercentEncoding.Encode(path.Key)}";
        return http.SendNothingAsync(StatusCodes.Status301MovedPermanently);
    }

    private static bool IsJson(HttpRequest request) =>
        request.ContentType is { } type && type.AsSpan().TrimStart().StartsWith("application/json", StringComparison.OrdinalIgnoreCase);

    /// <summary>The properties of a bucket with a data type; a fault for any other.</summary>
    private BucketProps? PropsOf(RiakPath path, out HttpFault? fault)
    {
        fault = null;
        if (path.Bucket.Length == 0)
        {
            fault = HttpErrors.NotFound;
            return null;
        }

        var props = admin.GetBucketProps(new BucketName(path.BucketType, path.Bucket));
        fault = !props.IsOk ? HttpErrors.Of(props.Refusal, path.BucketType)
            : DataTypeObject.KindOf(props.Value) is null ? HttpErrors.NoDataType(props.Value.DataType)
            : null;
        return props.IsOk ? props.Value : null;
    }
}
