using System.Buffers;
using System.Text.Json;
using Kv.Cluster;
using Kv.Core.MapReduce;
using Kv.Protos.Riak;
using Kv.Wire.Riak.Http;

namespace Kv.Wire.Riak.Pb;

/// <summary>
/// MapReduce jobs (riak_kv_pb_mapred; reference 8.3): a message for results of a phase as they come, as fast as the client takes them, and one at the end that says so. A job that fails ends with an error in the
/// place of its last message.
/// </summary>
internal sealed class PbMapReduce(RiakPbDoors doors, RequestMemory memory, RiakPbOptions options)
{
    private readonly MapReduceGate gate = new(doors.Access);

    public async ValueTask<PbReply> RunAsync(RpbMapRedReq message, PbSession session)
    {
        using var room = new MapReduceRoom(memory);
        if (WhyNotRead(message, session, room) is { } unread)
        {
            return PbReply.Error(unread);
        }

        // What the terms take has been counted by their number.
        if (!MapReduceJobReader.TryRead(message.Request.Span, long.MaxValue, out var job, out var problem))
        {
            return PbReply.Error(MapReduceErrors.PbOf(problem));
        }

        if (gate.WhyRefused(job, session.User) is { } refusal)
        {
            return PbReply.Error(refusal);
        }

        try
        {
            await foreach (var some in doors.Client.MapReduceAsync(job, gate.CallerOf(session.User, room), session.Output.Gone))
            {
                if (some.Terms.Count > 0)
                {
                    await session.Output.WriteAsync(new PbReply(PbCode.MapRedResp, MessageOf(some, room)));
                }
            }
        }
        catch (MapReduceFailedException failed)
        {
            return PbReply.Error(MapReduceErrors.PbOf(failed.Failure));
        }

        return new PbReply(PbCode.MapRedResp, new RpbMapRedResp { Done = true });
    }

    private string? WhyNotRead(RpbMapRedReq message, PbSession session, MapReduceRoom room)
    {
        if (gate.WhyNotRead(session.User) is { } refusal)
        {
            return refusal;
        }

        if (!message.ContentType.Span.SequenceEqual("application/json"u8))
        {
            return MapReduceErrors.UnknownContentType(message.ContentType.ToStringUtf8());
        }

        return room.TakeFields(RequestBody.CountFields(message.Request.Span, TermJson.MaxDepth)) switch
        {
            FieldsVerdict.TooMany => PbErrors.TooManyFields,
            FieldsVerdict.NoRoom => PbErrors.Overload,
            _ => null,
        };
    }

    private RpbMapRedResp MessageOf(MapReduceResults some, MapReduceRoom room)
    {
        var bytes = MapReduceJson.BytesOf(some.Terms);
        if (bytes > options.MaxFrameBytes)
        {
            throw new MapReduceFailedException(new MapReduceFailure.TooLong(options.MaxFrameBytes));
        }

        if (!room.TryWrite(bytes))
        {
            throw new MapReduceFailedException(new MapReduceFailure.OfRequest(new KvError.Overload(Indeterminate: false)));
        }

        var buffer = new ArrayBufferWriter<byte>(1024);
        using (var json = new Utf8JsonWriter(buffer, PlainJson.Writer))
        {
            MapReduceJson.WriteList(json, some.Terms, some.Phase);
        }

        return new RpbMapRedResp { Phase = (uint)some.Phase, Response = PbFields.Wrap(buffer.WrittenMemory) };
    }
}
