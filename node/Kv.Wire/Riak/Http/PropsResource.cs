using System.Text.Json;
using Kv.Cluster.Membership;
using Kv.Core.Buckets;
using Kv.Core.Objects;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Properties of buckets and of bucket types (riak_kv_wm_props, riak_kv_wm_bucket_type; reference 4.3, 7.3). Changes are judged here by the same rules that
/// administration applies again, so that every problem is named in Riak's form.
/// </summary>
internal sealed class PropsResource(ClusterAdmin admin, RequestBody bodies, RiakHttpOptions options)
{
    private const int MaxDepth = 64;

    public Task GetBucketAsync(HttpContext http, RiakPath path)
    {
        var props = admin.GetBucketProps(Name(path));
        return props.IsOk
            ? http.SendJsonAsync(json =>
            {
                json.WriteStartObject();
                WriteBucket(json, path, props.Value);
                json.WriteEndObject();
            })
            : http.SendAsync(HttpErrors.Of(props.Refusal, path.BucketType));
    }

    /// <summary>Adds `"props": {…}` to the object that is open.</summary>
    public static void WriteBucket(Utf8JsonWriter json, RiakPath path, BucketProps props)
    {
        json.WriteStartObject("props");
        json.WriteString("name", ListedName.Of(path.Bucket));
        BucketPropsJson.Write(json, props);
        json.WriteEndObject();
    }

    public async Task PutBucketAsync(HttpContext http, RiakPath path)
    {
        var current = admin.GetBucketProps(Name(path));
        if (!current.IsOk)
        {
            await http.SendAsync(HttpErrors.Of(current.Refusal, path.BucketType));
            return;
        }

        await ChangeAsync(
            http,
            path,
            change => path.BucketType == ObjectKey.DefaultType
                ? BucketPropsRules.SetUntypedBucket(current.Value, change)
                : BucketPropsRules.SetBucketInType(current.Value, change),
            async json => (await admin.SetBucketPropsAsync(Name(path), json, http.RequestAborted)).Refusal);
    }

    public async Task ResetBucketAsync(HttpContext http, RiakPath path)
    {
        var reset = await admin.ResetBucketPropsAsync(Name(path), http.RequestAborted);
        await (reset.IsOk ? http.SendNothingAsync(StatusCodes.Status204NoContent) : http.SendAsync(HttpErrors.Of(reset.Refusal, path.BucketType)));
    }

    public Task GetTypeAsync(HttpContext http, RiakPath path)
    {
        if (FindType(path, out var refusal) is not { } type)
        {
            return http.SendAsync(refusal!);
        }

        return http.SendJsonAsync(json =>
        {
            json.WriteStartObject();
            json.WriteStartObject("props");
            json.WriteBoolean("active", true);
            BucketPropsJson.Write(json, type.Props);
            json.WriteEndObject();
            json.WriteEndObject();
        });
    }

    public async Task PutTypeAsync(HttpContext http, RiakPath path)
    {
        if (FindType(path, out var refusal) is not { } type)
        {
            await http.SendAsync(refusal!.Status == 404 ? HttpErrors.CannotModifyType(path.BucketType) : refusal);
            return;
        }

        await ChangeAsync(
            http,
            path,
            change => BucketPropsRules.UpdateType(type.Props, change),
            async json => (await admin.UpdateBucketTypeAsync(path.BucketType, json, http.RequestAborted)).Refusal);
    }

    /// <summary>A type that is not active does not exist for clients.</summary>
    private BucketTypeView? FindType(RiakPath path, out HttpFault? refusal)
    {
        var found = admin.GetBucketType(path.BucketType);
        refusal = !found.IsOk ? HttpErrors.Of(found.Refusal, path.BucketType)
            : found.Value.Stage != BucketTypeStage.Active ? HttpErrors.UnknownType(path.BucketType)
            : null;
        return refusal is null ? found.Value : null;
    }

    private async Task ChangeAsync(HttpContext http, RiakPath path, Func<JsonElement, BucketPropsResult> rules, Func<string, Task<AdminRefusal?>> change)
    {
        if (!IsJson(http.Request.ContentType))
        {
            await http.SendAsync(HttpErrors.NotJson);
            return;
        }

        using var body = await bodies.ReadJsonAsync(http, options.MaxPropsBytes, HttpErrors.TooLarge(options.MaxPropsBytes), MaxDepth);
        if (body.Fault is not null)
        {
            await http.SendAndCloseAsync(body.Fault);
            return;
        }

        if (PropsOf(body.Bytes) is not { } props)
        {
            await http.SendAsync(HttpErrors.BadPropsBody);
            return;
        }

        if (rules(props) is { Props: null } invalid)
        {
            await http.SendAsync(HttpErrors.Of(invalid.Problems));
            return;
        }

        var refused = await change(props.GetRawText());
        await (refused is null ? http.SendNothingAsync(StatusCodes.Status204NoContent) : http.SendAsync(HttpErrors.Of(refused, path.BucketType)));
    }

    private static bool IsJson(string? contentType) =>
        contentType is not null && contentType.Split(';')[0].Trim().Equals("application/json", StringComparison.OrdinalIgnoreCase);

    private static JsonElement? PropsOf(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var json = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = MaxDepth });
            return json.RootElement.ValueKind == JsonValueKind.Object
                && json.RootElement.TryGetProperty("props", out var props)
                && props.ValueKind == JsonValueKind.Object
                ? props.Clone()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static BucketName Name(RiakPath path) => new(path.BucketType, path.Bucket);
}
