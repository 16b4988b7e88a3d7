using System.Buffers;
using System.Collections.Frozen;
using System.Globalization;
using Grpc.AspNetCore.Server;
using Grpc.Core;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;

namespace Kv.Wire.Native;

/// <summary>
/// Before a unary call's message is received: room for it, or a status that says why not; and before it is parsed, room for its fields. gRPC itself gathers and parses a
/// message whole before anybody is asked. A session does this for each of its messages.
/// </summary>
internal sealed class UnaryAdmission(RequestMemory memory, NativeOptions options)
{
    private static readonly FrozenDictionary<string, MessageShape> Shapes = Protos.Kv.V1.Kv.Descriptor.Methods
        .Where(method => !method.IsClientStreaming)
        .ToFrozenDictionary(method => $"/{Protos.Kv.V1.Kv.Descriptor.FullName}/{method.Name}", method => MessageShape.Of(method.InputType));

    // Its keys are as many requests.
    private static readonly MessageShape Many = Shapes[$"/{Protos.Kv.V1.Kv.Descriptor.FullName}/MultiGet"];

    private static readonly Status Overloaded = new(StatusCode.ResourceExhausted, "overloaded: there is no memory for the message now; try again later");

    // hot
    public async Task InvokeAsync(HttpContext http, RequestDelegate next)
    {
        var body = CallBody.Before(http);

        // By what routing found: it takes paths for the same that differ by case or a slash.
        var method = http.GetEndpoint()?.Metadata.GetMetadata<GrpcMethodMetadata>()?.Method.FullName;
        if (method is null || !Shapes.TryGetValue(method, out var shape) || await body.PrefixAsync(http.RequestAborted) is not { } prefix)
        {
            await next(http);
            return;
        }

        using var room = new Room(memory, ShareOf(http, memory));
        if (await RefusalAsync(body, prefix, shape, room, http.RequestAborted) is { } reason)
        {
            Refuse(http, reason);
            return;
        }

        await next(http);
    }

    /// <summary>What the call's connection may have of the memory; null where it is none.</summary>
    public static MemoryShare? ShareOf(HttpContext http, RequestMemory memory) =>
        http.Features.Get<IConnectionItemsFeature>() is { } connection ? memory.ClientsBy(connection) : null;

    /// <summary>Of bytes that are no message.</summary>
    public static Status Unreadable { get; } = new(StatusCode.InvalidArgument, "the message cannot be read");

    /// <summary>Why a message is not taken whatever room there is; null where it is.</summary>
    public static Status? WhyNot(GrpcPrefix prefix, NativeOptions options)
    {
        if (prefix.IsCompressed)
        {
            return new Status(StatusCode.Unimplemented, "compressed messages are not taken: nobody knows how long they will be");
        }

        // Not RESOURCE_EXHAUSTED, as gRPC itself has it: that is to be tried again.
        return prefix.MessageBytes <= options.MaxMessageBytes ? null : new Status(StatusCode.InvalidArgument, string.Create(
            CultureInfo.InvariantCulture, $"a message of {prefix.MessageBytes} bytes, at most {options.MaxMessageBytes} are taken: the largest object, which `max-object-size` and the node's memory bound, and what goes with it"));
    }

    public static void Refuse(HttpContext http, Status status)
    {
        http.Response.ContentType = "application/grpc";
        http.Response.Headers["grpc-status"] = ((int)status.StatusCode).ToString(CultureInfo.InvariantCulture);
        http.Response.Headers["grpc-message"] = Uri.EscapeDataString(status.Detail);
    }

    // hot
    private async ValueTask<Status?> RefusalAsync(CallBody body, GrpcPrefix prefix, MessageShape shape, Room room, CancellationToken cancel)
    {
        if (WhyNot(prefix, options) is { } reason)
        {
            return reason;
        }

        if (!await room.TakeMessageAsync(prefix.MessageBytes, cancel))
        {
            return Overloaded;
        }

        try
        {
            // Where it is cut short, gRPC says so.
            return await body.MessageAsync(prefix, options.StallTimeout, options.LeastBytesPerSecond, cancel) is { Length: > RequestMemory.FreeBytes } message ? WhyNotParsed(message, shape, room) : null;
        }
        catch (RpcException late)
        {
            return late.Status;
        }
    }

    private Status? WhyNotParsed(ReadOnlySequence<byte> message, MessageShape shape, Room room) =>
        shape.Count(message) is not { } fields ? Unreadable : room.TakeFields(fields.All, requests: shape == Many ? Math.Min(fields.Own, options.MultiGetKeys) : 1) switch
        {
            FieldsVerdict.TooMany => new Status(StatusCode.InvalidArgument, MessageLimits.TooManyFields),
            FieldsVerdict.NoRoom => Overloaded,
            _ => null,
        };
}
