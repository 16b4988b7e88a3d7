using Kv.Cluster;
using Kv.Core.Objects;
using Kv.Core.Security;
using Kv.Wire.Access;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Security of a request (riak_kv_wm_utils, riak_api_web_security; reference 7.1, 11.3): where it is on, TLS, then who the client is, then what it was granted. Job classes that are
/// switched off are refused whether it is on or not.
/// </summary>
internal sealed class RiakHttpAccess(AccessControl access)
{
    /// <summary>Whether anything is to be asked of the request.</summary>
    // hot
    public bool IsAsked(HttpContext http, in RiakPath path) => access.IsOn || JobOf(http, path) is not null;

    /// <summary>Null where the request may be carried out.</summary>
    public async ValueTask<HttpFault?> WhyRefusedAsync(HttpContext http, RiakPath path)
    {
        if (access.IsOn && await WhyNotTakenAsync(http, path) is { } refusal)
        {
            return refusal;
        }

        return JobOf(http, path) is { } job && access.WhyDisabled(job) is { } disabled ? HttpErrors.Denied(disabled) : null;
    }

    private async ValueTask<HttpFault?> WhyNotTakenAsync(HttpContext http, RiakPath path)
    {
        if (!http.Request.IsHttps)
        {
            http.Response.Headers.Upgrade = "TLS/1.2, HTTP/1.1";
            http.Response.Headers.Connection = "close, Upgrade";
            return HttpErrors.NeedsTls;
        }

        if (IsFromOtherSite(http.Request))
        {
            return HttpErrors.OtherReferer;
        }

        switch (HttpCaller.Read(http) is { } credentials ? await access.AuthenticateAsync(credentials, http.RequestAborted) : new AccessAnswer.Unknown())
        {
            case AccessAnswer.Known when path.Resource == RiakResource.LinkWalk:
                return HttpErrors.NoWalks;
            case AccessAnswer.Known known:
                http.Features.Set(known.User);
                var (permissions, scope) = Needed(http.Request, path);
                return permissions != Permissions.None && access.WhyDenied(known.User, permissions, scope) is { } why ? HttpErrors.Denied(why) : null;
            case AccessAnswer.Overloaded:
                return HttpErrors.Of(new KvError.Overload(Indeterminate: false));
            default:
                http.Response.Headers.WWWAuthenticate = "Basic realm=\"Riak\"";
                return HttpErrors.Unauthorized;
        }
    }

    /// <summary>What a request needs, and on what. What has no bucket and no type needs a user alone.</summary>
    private static (Permissions Permissions, GrantScope Scope) Needed(HttpRequest request, RiakPath path) => path.Resource switch
    {
        RiakResource.Object => (HttpMethods.IsDelete(request.Method) ? Permissions.Delete : ReadOr(request, Permissions.Get, Permissions.Put), OnBucket(path)),
        RiakResource.DataType or RiakResource.Counter => (ReadOr(request, Permissions.Get, Permissions.Put), OnBucket(path)),
        RiakResource.DataTypes => (Permissions.Put, OnBucket(path)),
        RiakResource.Keys => (ReadOr(request, Permissions.ListKeys, Permissions.Put), OnBucket(path)),
        RiakResource.Preflist => (Permissions.GetPreflist, OnBucket(path)),
        RiakResource.Index => (Permissions.Index, OnBucket(path)),
        RiakResource.Buckets => (Permissions.ListBuckets, GrantScope.OfType(path.BucketType)),
        RiakResource.BucketProps => (ReadOr(request, Permissions.GetBucket, Permissions.SetBucket), OnBucket(path)),
        RiakResource.TypeProps => (ReadOr(request, Permissions.GetBucketType, Permissions.SetBucketType), GrantScope.OfType(path.BucketType)),
        RiakResource.OldBucket => (OldBucket(request), OnBucket(path)),
        // By what the job names: once it is read.
        RiakResource.MapReduce => (Permissions.None, GrantScope.Any),
        RiakResource.Unknown or RiakResource.Root or RiakResource.Ping or RiakResource.Stats => (Permissions.None, GrantScope.Any),
        _ => throw new System.Diagnostics.UnreachableException($"no permission is named for {path.Resource}"),
    };

    private static Permissions OldBucket(HttpRequest request)
    {
        if (!IsRead(request))
        {
            return HttpMethods.IsPost(request.Method) ? Permissions.Put : Permissions.SetBucket;
        }

        var props = new QueryOptions(request).Text("props") == "false" ? Permissions.None : Permissions.GetBucket;
        return Lists(request, "keys", out _) ? props | Permissions.ListKeys : props;
    }

    /// <summary>The job class of a listing, a query or a MapReduce job; null for all other requests.</summary>
    private static JobClass? JobOf(HttpContext http, in RiakPath path)
    {
        if (path.Resource == RiakResource.Index)
        {
            return new QueryOptions(http.Request).Text("stream") == "true" ? JobClass.StreamSecondaryIndex : JobClass.SecondaryIndex;
        }

        if (path.Resource == RiakResource.MapReduce)
        {
            return JobClass.MapReduce;
        }

        if (path.Resource is not (RiakResource.Keys or RiakResource.OldBucket or RiakResource.Buckets) || !IsRead(http.Request))
        {
            return null;
        }

        var isBuckets = path.Resource == RiakResource.Buckets;
        return !Lists(http.Request, isBuckets ? "buckets" : "keys", out var isStream) ? null
            : isBuckets ? (isStream ? JobClass.StreamListBuckets : JobClass.ListBuckets)
            : isStream ? JobClass.StreamListKeys : JobClass.ListKeys;
    }

    /// <summary>By the first of several values, as whoever carries the request out reads it.</summary>
    private static bool Lists(HttpRequest request, string noun, out bool isStream)
    {
        var mode = new QueryOptions(request).Text(noun);
        isStream = mode == "stream";
        return mode is not (null or "false");
    }

    private static bool IsRead(HttpRequest request) => HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    private static Permissions ReadOr(HttpRequest request, Permissions read, Permissions write) => IsRead(request) ? read : write;

    private static GrantScope OnBucket(in RiakPath path) => GrantScope.OfBucket(new BucketName(path.BucketType, path.Bucket));

    /// <summary>A browser that knows a user's password sends it along with what another site's page asks for (Riak's secure_referer_check).</summary>
    private static bool IsFromOtherSite(HttpRequest request)
    {
        var referer = request.Headers.Referer.ToString();
        return referer.Length > 0
            && !(Uri.TryCreate(referer, UriKind.Absolute, out var page) && page.Scheme == Uri.UriSchemeHttps && string.Equals(page.Authority, request.Host.Value, StringComparison.OrdinalIgnoreCase));
    }
}
