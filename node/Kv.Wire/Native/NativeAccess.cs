using Google.Protobuf;
using Grpc.Core;
using Grpc.Core.Interceptors;
using Kv.Core.Objects;
using Kv.Core.Security;
using Kv.Protos.Kv.V1;
using Kv.Wire.Access;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Native;

/// <summary>
/// Security of calls of `kv.v1`: where it is on, a call needs TLS and says who calls by `authorization: Basic …` in its metadata, by a client certificate, or by both. What a message
/// asks for is held against the user's grants; a message that is not named here is refused.
/// </summary>
public sealed class NativeAccess(AccessControl access) : Interceptor
{
    private static readonly object UserKey = new();

    /// <summary>Before a call's message is taken, which costs memory: who calls. What fails here is answered as a call is.</summary>
    // hot
    internal Task InvokeAsync(HttpContext http, RequestDelegate next) => access.IsOn ? AdmitAsync(http, next) : next(http);

    // hot
    public override Task<TResponse> UnaryServerHandler<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation) =>
        access.IsOn ? CheckedAsync(request, context, continuation) : continuation(request, context);

    /// <summary>`kv.v1` has none, and no row says what one would need.</summary>
    public override Task<TResponse> ClientStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, ServerCallContext context, ClientStreamingServerMethod<TRequest, TResponse> continuation) =>
        access.IsOn ? throw new RpcException(new Status(StatusCode.PermissionDenied, $"no permission is named for {context.Method}")) : continuation(requestStream, context);

    public override async Task ServerStreamingServerHandler<TRequest, TResponse>(
        TRequest request, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, ServerStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (access.IsOn)
        {
            Check(await UserOfAsync(context), request);
        }

        if (JobOf(request) is { } job && access.WhyDisabled(job) is { } disabled)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, disabled));
        }

        await continuation(request, responseStream, context);
    }

    /// <summary>A session's requests are checked one by one (<see cref="WhyDenied"/>): security may be turned on, or a grant revoked, while it lasts.</summary>
    public override async Task DuplexStreamingServerHandler<TRequest, TResponse>(
        IAsyncStreamReader<TRequest> requestStream, IServerStreamWriter<TResponse> responseStream, ServerCallContext context, DuplexStreamingServerMethod<TRequest, TResponse> continuation)
    {
        if (access.IsOn)
        {
            context.GetHttpContext().Items[UserKey] = await UserOfAsync(context);
        }

        await continuation(requestStream, responseStream, context);
    }

    /// <summary>
    /// Whether a session's client is nobody: security has been turned on since, or its login holds no more. The session is ended, since nothing in it could say who the client is, and clients
    /// begin another with what they know of themselves.
    /// </summary>
    // hot
    internal static bool MustEnd(AccessControl access, AccessUser? user) => access.IsNobody(user);

    internal static RpcException Ended() => Unauthenticated("security is enabled: begin the session anew, over TLS, and say who you are");

    /// <summary>The user that a session was begun by; null where security was off.</summary>
    internal static AccessUser? UserOf(ServerCallContext context) => context.GetHttpContext().Items.TryGetValue(UserKey, out var user) ? (AccessUser)user! : null;

    /// <summary>Why a session's request is not carried out; null where it is.</summary>
    // hot
    internal static string? WhyDenied(AccessControl access, AccessUser? user, SessionRequest request)
    {
        if (!access.IsOn)
        {
            return null;
        }

        var (permissions, scope) = request.OperationCase switch
        {
            SessionRequest.OperationOneofCase.Get => Needed(request.Get),
            SessionRequest.OperationOneofCase.Put => Needed(request.Put),
            SessionRequest.OperationOneofCase.Delete => Needed(request.Delete),
            SessionRequest.OperationOneofCase.FetchDataType => Needed(request.FetchDataType),
            SessionRequest.OperationOneofCase.UpdateDataType => Needed(request.UpdateDataType),
            SessionRequest.OperationOneofCase.None => (Permissions.None, GrantScope.Any),
            _ => throw new System.Diagnostics.UnreachableException($"no permission is named for {request.OperationCase}"),
        };
        return access.WhyDenied(user, permissions, scope);
    }

    private async Task AdmitAsync(HttpContext http, RequestDelegate next)
    {
        try
        {
            http.Items[UserKey] = await UserAsync(http);
        }
        catch (RpcException refused)
        {
            UnaryAdmission.Refuse(http, refused.Status);
            return;
        }

        await next(http);
    }

    private async Task<TResponse> CheckedAsync<TRequest, TResponse>(TRequest request, ServerCallContext context, UnaryServerMethod<TRequest, TResponse> continuation)
        where TRequest : class
        where TResponse : class
    {
        Check(await UserOfAsync(context), request);
        return await continuation(request, context);
    }

    private void Check<TRequest>(AccessUser user, TRequest request)
    {
        if (request is not MultiGetRequest many)
        {
            CheckOne(user, (IMessage)request!);
            return;
        }

        foreach (var get in many.Gets)
        {
            CheckOne(user, get);
        }
    }

    private void CheckOne(AccessUser user, IMessage request)
    {
        var (permissions, scope) = Needed(request);
        if (access.WhyDenied(user, permissions, scope) is { } why)
        {
            throw new RpcException(new Status(StatusCode.PermissionDenied, why));
        }
    }

    internal static (Permissions Permissions, GrantScope Scope) Needed(IMessage request) => request switch
    {
        GetRequest get => (Permissions.Get, On(get.Key)),
        PutRequest put => (Permissions.Put, On(put.Key)),
        DeleteRequest delete => (Permissions.Delete, On(delete.Key)),
        FetchDataTypeRequest fetch => (Permissions.Get, On(fetch.Key)),
        UpdateDataTypeRequest update => (Permissions.Put, On(update.Key)),
        ListKeysRequest list => (Permissions.ListKeys, On(list.BucketType, list.Bucket)),
        ListBucketsRequest list => (Permissions.ListBuckets, GrantScope.OfType(TypeOf(list.BucketType))),
        ListBucketTypesRequest => (Permissions.GetBucketType, GrantScope.Any),
        GetBucketPropsRequest get => (Permissions.GetBucket, On(get.BucketType, get.Bucket)),
        SetBucketPropsRequest set => (Permissions.SetBucket, On(set.BucketType, set.Bucket)),
        GetRingRequest => (Permissions.None, GrantScope.Any),
        _ => throw new RpcException(new Status(StatusCode.PermissionDenied, $"no permission is named for {request.Descriptor.Name}")),
    };

    private static JobClass? JobOf<TRequest>(TRequest request) => request switch
    {
        ListKeysRequest => JobClass.StreamListKeys,
        ListBucketsRequest => JobClass.StreamListBuckets,
        _ => null,
    };

    private static GrantScope On(Key? key) => On(key?.BucketType ?? "", key?.Bucket ?? ByteString.Empty);

    private static GrantScope On(string type, ByteString bucket) => GrantScope.OfBucket(new BucketName(TypeOf(type), bucket.Memory));

    private static string TypeOf(string type) => type.Length == 0 ? ObjectKey.DefaultType : type;

    /// <summary>Asked anew where security was turned on since the call was admitted.</summary>
    private async ValueTask<AccessUser> UserOfAsync(ServerCallContext context) => UserOf(context) ?? await UserAsync(context.GetHttpContext());

    private async ValueTask<AccessUser> UserAsync(HttpContext http)
    {
        if (!http.Request.IsHttps)
        {
            throw Unauthenticated("security is enabled: connect by TLS");
        }

        if (HttpCaller.Read(http) is not { } credentials)
        {
            throw Unauthenticated("security is enabled: say who you are, by basic credentials in `authorization` or by a client certificate");
        }

        return await access.AuthenticateAsync(credentials, http.RequestAborted) switch
        {
            AccessAnswer.Known known => known.User,
            AccessAnswer.Overloaded => throw new RpcException(new Status(StatusCode.ResourceExhausted, "overloaded: try again later")),
            _ => throw Unauthenticated("Authentication failed"),
        };
    }

    private static RpcException Unauthenticated(string why) => new(new Status(StatusCode.Unauthenticated, why));
}
