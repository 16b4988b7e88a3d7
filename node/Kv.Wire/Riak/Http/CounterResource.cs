using System.Diagnostics;
using System.Globalization;
using System.Numerics;
using System.Text;
using Kv.Cluster;
using Kv.Cluster.Membership;
using Kv.Core.DataTypes;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>The counters of Riak 1.4 (riak_kv_wm_counter; reference 5.5): `/buckets/B/counters/K`, a number as text.</summary>
internal sealed class CounterResource(KvClient client, ClusterAdmin admin, RequestBody bodies)
{
    public async Task GetAsync(HttpContext http, RiakPath path)
    {
        var query = new QueryOptions(http.Request);
        var get = ObjectReads.ReadRequest(query, path);
        if ((query.Fault ?? FaultOf(path)) is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        await (await client.ExecuteAsync(get, http.RequestAborted) switch
        {
            KvOutcome.Found found => SendAsync(http, found.Object),
            KvOutcome.NotFound => http.SendAsync(HttpErrors.NotFound),
            KvOutcome.Failed failed => http.SendAsync(HttpErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a counter's get ended in {outcome}"),
        });
    }

    public async Task PostAsync(HttpContext http, RiakPath path)
    {
        var query = new QueryOptions(http.Request);
        var put = DataTypeResource.UpdateRequest(query, path, "returnvalue");
        if ((query.Fault ?? FaultOf(path)) is { } fault)
        {
            await http.SendAsync(fault);
            return;
        }

        using var body = await bodies.ReadAsync(http, DataTypeOperation.Increment.MostDigits, HttpErrors.TooLarge(DataTypeOperation.Increment.MostDigits));
        if (body.Fault is not null)
        {
            await http.SendAndCloseAsync(body.Fault);
            return;
        }

        var text = Encoding.UTF8.GetString(body.Bytes.Span).Trim();
        if (!BigInteger.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var amount))
        {
            await http.SendAsync(HttpErrors.NotInteger);
            return;
        }

        await (await client.ExecuteAsync(put with { Update = new DataTypeUpdate(new DataTypeOperation.Increment(amount), null) }, http.RequestAborted) switch
        {
            KvOutcome.Stored { Object: null } => http.SendNothingAsync(StatusCodes.Status204NoContent),
            KvOutcome.Stored { Object: { } stored } => SendAsync(http, stored),
            KvOutcome.Failed failed => http.SendAsync(HttpErrors.Of(failed.Error)),
            var outcome => throw new UnreachableException($"a counter's update ended in {outcome}"),
        });
    }

    private static Task SendAsync(HttpContext http, KvObject held) => DataTypeObject.ReadCounter(held, out _) is CausalDataType { Root: CounterStore counter }
        ? http.SendAsync(StatusCodes.Status200OK, "text/plain", counter.Value.ToString(CultureInfo.InvariantCulture))
        : http.SendAsync(HttpErrors.NoCounter);

    private HttpFault? FaultOf(RiakPath path) => admin.GetBucketProps(new BucketName(path.BucketType, path.Bucket)) switch
    {
        { IsOk: false, Refusal: { } refusal } => HttpErrors.Of(refusal, path.BucketType),
        { Value: { AllowMult: true, LastWriteWins: false } } => null,
        _ => HttpErrors.CountersNeedSiblings,
    };
}
