using Kv.Cluster;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Logging;

namespace Kv.Wire.Riak.Http;

/// <summary>
/// Takes each request to its resource by its raw path and its method. One place catches what must not pass: a client that went away ends quietly, a body that
/// breaks HTTP's rules gets its status, and a bug is a plain 500 with the details in the log alone.
/// </summary>
internal sealed partial class RiakHttpDispatch
{
    private readonly ObjectReads reads;
    private readonly ObjectWrites writes;
    private readonly LinkWalk walks;
    private readonly CounterResource counters;
    private readonly DataTypeResource dataTypes;
    private readonly PropsResource props;
    private readonly ListResource lists;
    private readonly IndexResource indexes;
    private readonly MapReduceResource mapReduce;
    private readonly ServerResource server;
    private readonly RiakHttpAccess access;
    private readonly RiakStatistics statistics;
    private readonly ILogger<RiakHttpDispatch> log;

    public RiakHttpDispatch(RiakHttpDoors doors, RiakHttpOptions options, RequestMemory memory, ILogger<RiakHttpDispatch> log)
    {
        var bodies = new RequestBody(memory);
        reads = new ObjectReads(doors.Client);
        writes = new ObjectWrites(doors.Client, bodies, options);
        walks = new LinkWalk(doors.Client, doors.Time, options);
        counters = new CounterResource(doors.Client, doors.Admin, bodies);
        dataTypes = new DataTypeResource(doors.Client, doors.Admin, bodies, options);
        props = new PropsResource(doors.Admin, bodies, options);
        lists = new ListResource(doors.Client, doors.Admin, options);
        indexes = new IndexResource(doors.Client, options);
        mapReduce = new MapReduceResource(doors.Client, doors.Access, bodies, memory, options);
        server = new ServerResource(doors.State);
        access = new RiakHttpAccess(doors.Access);
        statistics = doors.Statistics;
        this.log = log;
    }

    // hot
    public async Task HandleAsync(HttpContext http)
    {
        try
        {
            await RouteAsync(http);
        }
        catch (OperationCanceledException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The client went away. A write that was begun goes on without it.
        }
        catch (BadHttpRequestException malformed)
        {
            await TrySendAsync(http, malformed.StatusCode == StatusCodes.Status400BadRequest
                ? HttpErrors.BodyCutShort
                : new HttpFault(malformed.StatusCode, malformed.Message + "\n"));
        }
        catch (IOException) when (http.RequestAborted.IsCancellationRequested)
        {
            // The connection broke while a body was on its way.
        }
        catch (OutOfMemoryException)
        {
            await TrySendAsync(http, HttpErrors.Of(new KvError.Overload(Indeterminate: true)));
        }
        catch (Exception bug)
        {
            LogUnexpected(bug, http.Request.Method);
            await TrySendAsync(http, HttpErrors.Internal);
        }
    }

    private Task RouteAsync(HttpContext http)
    {
        var target = http.Features.Get<IHttpRequestFeature>()?.RawTarget;
        if (!RiakPath.TryParse(string.IsNullOrEmpty(target) ? http.Request.Path.ToUriComponent() : target, out var path))
        {
            return http.SendAsync(HttpErrors.MalformedPath);
        }

        return access.IsAsked(http, path) ? GuardedAsync(http, path) : CarryOutAsync(http, path);
    }

    private async Task GuardedAsync(HttpContext http, RiakPath path)
    {
        if (await access.WhyRefusedAsync(http, path) is { } refusal)
        {
            await http.SendAsync(refusal);
        }
        else
        {
            await CarryOutAsync(http, path);
        }
    }

    private Task CarryOutAsync(HttpContext http, RiakPath path)
    {
        var allowed = AllowedOf(path);
        var method = http.Request.Method;
        if (allowed.Length > 0 && Array.IndexOf(allowed, method) < 0)
        {
            http.Response.Headers.Allow = string.Join(", ", allowed);
            return http.SendAsync(new HttpFault(StatusCodes.Status405MethodNotAllowed, $"{path.Resource.ToString().ToLowerInvariant()} does not allow this method\n"));
        }

        return path.Resource switch
        {
            RiakResource.Object => OnObject(http, path, method),
            RiakResource.LinkWalk => walks.GetAsync(http, path),
            RiakResource.Preflist => server.PreflistAsync(http, path),
            RiakResource.Keys => HttpMethods.IsPost(method) ? writes.PutAsync(http, path) : lists.KeysAsync(http, path),
            RiakResource.DataType or RiakResource.DataTypes => HttpMethods.IsPost(method) ? dataTypes.PostAsync(http, path) : dataTypes.GetAsync(http, path),
            RiakResource.Counter => HttpMethods.IsPost(method) ? counters.PostAsync(http, path) : counters.GetAsync(http, path),
            RiakResource.Index => indexes.QueryAsync(http, path),
            RiakResource.MapReduce => mapReduce.RunAsync(http),
            RiakResource.Buckets => lists.BucketsAsync(http, path),
            RiakResource.BucketProps => OnBucketProps(http, path, method),
            RiakResource.TypeProps => HttpMethods.IsPut(method) ? props.PutTypeAsync(http, path) : props.GetTypeAsync(http, path),
            RiakResource.OldBucket => OnOldBucket(http, path, method),
            RiakResource.Ping => server.PingAsync(http),
            RiakResource.Stats => statistics.SendAsync(http),
            RiakResource.Root => ServerResource.RootAsync(http),
            _ => http.SendAsync(HttpErrors.NotFound),
        };
    }

    private Task OnObject(HttpContext http, RiakPath path, string method) =>
        HttpMethods.IsDelete(method) ? writes.DeleteAsync(http, path)
        : HttpMethods.IsPut(method) || HttpMethods.IsPost(method) ? writes.PutAsync(http, path)
        : reads.GetAsync(http, path);

    private Task OnBucketProps(HttpContext http, RiakPath path, string method) =>
        HttpMethods.IsDelete(method) ? props.ResetBucketAsync(http, path)
        : HttpMethods.IsPut(method) ? props.PutBucketAsync(http, path)
        : props.GetBucketAsync(http, path);

    private Task OnOldBucket(HttpContext http, RiakPath path, string method) =>
        HttpMethods.IsPost(method) ? writes.PutAsync(http, path)
        : HttpMethods.IsPut(method) ? props.PutBucketAsync(http, path)
        : lists.OldBucketAsync(http, path);

    private static readonly string[] ReadOnly = ["GET", "HEAD"];
    private static readonly string[] PostOnly = ["POST"];
    private static readonly string[] Collection = ["GET", "HEAD", "POST"];
    private static readonly string[] OldCollection = ["GET", "HEAD", "POST", "PUT"];
    private static readonly string[] ObjectMethods = ["GET", "HEAD", "POST", "PUT", "DELETE"];
    private static readonly string[] Changeable = ["GET", "HEAD", "PUT"];
    private static readonly string[] Resettable = ["GET", "HEAD", "PUT", "DELETE"];

    private static string[] AllowedOf(RiakPath path) => path.Resource switch
    {
        RiakResource.Object => ObjectMethods,
        RiakResource.Keys or RiakResource.DataType or RiakResource.Counter or RiakResource.MapReduce => Collection,
        RiakResource.DataTypes => PostOnly,
        RiakResource.OldBucket => OldCollection,
        RiakResource.BucketProps => Resettable,
        RiakResource.TypeProps => Changeable,
        RiakResource.Unknown => [],
        _ => ReadOnly,
    };

    private static async Task TrySendAsync(HttpContext http, HttpFault fault)
    {
        if (http.Response.HasStarted || http.RequestAborted.IsCancellationRequested)
        {
            http.Abort();
            return;
        }

        http.Response.Clear();
        await http.SendAndCloseAsync(fault);
    }

    [LoggerMessage(2311, LogLevel.Error, "a {Method} request failed in a way it never should")]
    private partial void LogUnexpected(Exception bug, string method);
}
