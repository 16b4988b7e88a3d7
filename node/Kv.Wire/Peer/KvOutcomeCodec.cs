using System.Diagnostics;
using System.Globalization;
using Kv.Cluster;
using Kv.Core.Objects;

namespace Kv.Wire.Peer;

/// <summary>
/// How a request that was handed on ended. Objects are in their stored form.
/// <code>
/// case u8 | 1 found: object | 2 not found: has clock u8, [clock] | 3 unchanged | 4 stored: has object u8, [object] | 5 deleted | 6 failed: error
/// object    length u32, bytes
/// error     code u8 | what the code has: numbers i32 or i64, texts, flags, in the order of KvError's parameters
/// </code>
/// </summary>
internal static class KvOutcomeCodec
{
    private const byte FoundCode = 1;
    private const byte NotFoundCode = 2;
    private const byte UnchangedCode = 3;
    private const byte StoredCode = 4;
    private const byte DeletedCode = 5;
    private const byte FailedCode = 6;

    public static int SizeHint(KvObject source)
    {
        var bytes = 0L;
        foreach (var sibling in source.Siblings)
        {
            bytes += sibling.Value.Length + 64;
        }

        return (int)Math.Min(bytes, int.MaxValue / 2);
    }

    public static void Write(WireWriter writer, KvOutcome outcome)
    {
        switch (outcome)
        {
            case KvOutcome.Found found:
                writer.U8(FoundCode);
                writer.Bytes(ObjectCodec.Encode(found.Object));
                break;
            case KvOutcome.NotFound notFound:
                writer.U8(NotFoundCode);
                writer.Flag(notFound.TombstoneContext is not null);
                if (notFound.TombstoneContext is not null)
                {
                    PeerFields.WriteClock(writer, notFound.TombstoneContext);
                }

                break;
            case KvOutcome.Unchanged:
                writer.U8(UnchangedCode);
                break;
            case KvOutcome.Stored stored:
                writer.U8(StoredCode);
                writer.Flag(stored.Object is not null);
                if (stored.Object is not null)
                {
                    writer.Bytes(ObjectCodec.Encode(stored.Object));
                }

                break;
            case KvOutcome.Deleted:
                writer.U8(DeletedCode);
                break;
            case KvOutcome.Failed failed:
                writer.U8(FailedCode);
                WriteError(writer, failed.Error);
                break;
            default:
                throw new UnreachableException();
        }
    }

    /// <summary>What it returns counts only if the reader has not failed at the end.</summary>
    public static KvOutcome? Read(ref WireReader reader)
    {
        var code = reader.U8();
        switch (code)
        {
            case FoundCode:
                return ReadObject(ref reader) is { } found ? new KvOutcome.Found(found) : null;
            case NotFoundCode:
                return new KvOutcome.NotFound(reader.Flag() ? PeerFields.ReadClock(ref reader) : null);
            case UnchangedCode:
                return new KvOutcome.Unchanged();
            case StoredCode:
                return new KvOutcome.Stored(reader.Flag() ? ReadObject(ref reader) : null);
            case DeletedCode:
                return new KvOutcome.Deleted();
            case FailedCode:
                return ReadError(ref reader) is { } error ? new KvOutcome.Failed(error) : null;
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown outcome {code}"));
                return null;
        }
    }

    private static KvObject? ReadObject(ref WireReader reader)
    {
        var bytes = reader.Bytes();
        if (reader.Failed)
        {
            return null;
        }

        if (ObjectCodec.TryDecode(bytes, out var result, out var failure))
        {
            return result;
        }

        reader.Fail(failure.ToString());
        return null;
    }

    private static void WriteError(WireWriter writer, KvError error)
    {
        switch (error)
        {
            case KvError.NValViolation violation:
                writer.U8((byte)KvErrorCode.NValViolation);
                writer.I32(violation.NVal);
                break;
            case KvError.QuorumValueViolation violation:
                writer.U8((byte)KvErrorCode.QuorumValueViolation);
                writer.Text(violation.Option);
                break;
            case KvError.Unsatisfied unsatisfied:
                writer.U8((byte)KvErrorCode.Unsatisfied);
                writer.Text(unsatisfied.Option);
                writer.I32(unsatisfied.Required);
                writer.I32(unsatisfied.Got);
                writer.Flag(unsatisfied.Indeterminate);
                break;
            case KvError.InsufficientVnodes insufficient:
                writer.U8((byte)KvErrorCode.InsufficientVnodes);
                writer.I32(insufficient.Got);
                writer.I32(insufficient.Required);
                break;
            case KvError.Timeout timeout:
                writer.U8((byte)KvErrorCode.Timeout);
                writer.Flag(timeout.Indeterminate);
                break;
            case KvError.Overload overload:
                writer.U8((byte)KvErrorCode.Overload);
                writer.Flag(overload.Indeterminate);
                break;
            case KvError.NotReady notReady:
                writer.U8((byte)KvErrorCode.NotReady);
                writer.Text(notReady.Detail);
                break;
            case KvError.UnknownBucketType unknown:
                writer.U8((byte)KvErrorCode.UnknownBucketType);
                writer.Text(unknown.BucketType);
                break;
            case KvError.TooManySiblings siblings:
                writer.U8((byte)KvErrorCode.TooManySiblings);
                writer.I32(siblings.Count);
                writer.I32(siblings.Maximum);
                break;
            case KvError.ObjectTooLarge large:
                writer.U8((byte)KvErrorCode.ObjectTooLarge);
                writer.I64(large.Bytes);
                writer.I64(large.Maximum);
                break;
            case KvError.InvalidRequest invalid:
                writer.U8((byte)KvErrorCode.InvalidRequest);
                writer.Text(invalid.Message);
                break;
            case KvError.NotPresent missing:
                writer.U8((byte)KvErrorCode.NotPresent);
                writer.Text(missing.Term);
                break;
            case KvError.IndexesNotSupported unsupported:
                writer.U8((byte)KvErrorCode.IndexesNotSupported);
                writer.Text(unsupported.Backend);
                break;
            case KvError.PreCommitFailed failed:
                writer.U8((byte)KvErrorCode.PreCommitFailed);
                writer.Text(failed.Message);
                writer.Flag(failed.IsOfHook);
                break;
            case KvError.StorageFailed storage:
                writer.U8((byte)KvErrorCode.StorageFailed);
                writer.Text(storage.Message);
                break;
            default:
                writer.U8((byte)(error switch
                {
                    KvError.AllNodesDown => KvErrorCode.AllNodesDown,
                    KvError.MatchFound => KvErrorCode.MatchFound,
                    KvError.Modified => KvErrorCode.Modified,
                    KvError.NotFoundForCondition => KvErrorCode.NotFoundForCondition,
                    _ => throw new UnreachableException(),
                }));
                break;
        }
    }

    private static KvError? ReadError(ref WireReader reader)
    {
        var code = (KvErrorCode)reader.U8();
        switch (code)
        {
            case KvErrorCode.NValViolation:
                return new KvError.NValViolation(reader.I32());
            case KvErrorCode.QuorumValueViolation:
                return new KvError.QuorumValueViolation(reader.Text());
            case KvErrorCode.Unsatisfied:
                return new KvError.Unsatisfied(reader.Text(), reader.I32(), reader.I32(), reader.Flag());
            case KvErrorCode.InsufficientVnodes:
                return new KvError.InsufficientVnodes(reader.I32(), reader.I32());
            case KvErrorCode.AllNodesDown:
                return new KvError.AllNodesDown();
            case KvErrorCode.Timeout:
                return new KvError.Timeout(reader.Flag());
            case KvErrorCode.Overload:
                return new KvError.Overload(reader.Flag());
            case KvErrorCode.NotReady:
                return new KvError.NotReady(reader.Text());
            case KvErrorCode.UnknownBucketType:
                return new KvError.UnknownBucketType(reader.Text());
            case KvErrorCode.MatchFound:
                return new KvError.MatchFound();
            case KvErrorCode.Modified:
                return new KvError.Modified();
            case KvErrorCode.NotFoundForCondition:
                return new KvError.NotFoundForCondition();
            case KvErrorCode.TooManySiblings:
                return new KvError.TooManySiblings(reader.I32(), reader.I32());
            case KvErrorCode.ObjectTooLarge:
                return new KvError.ObjectTooLarge(reader.I64(), reader.I64());
            case KvErrorCode.InvalidRequest:
                return new KvError.InvalidRequest(reader.Text());
            case KvErrorCode.NotPresent:
                return new KvError.NotPresent(reader.Text());
            case KvErrorCode.IndexesNotSupported:
                return new KvError.IndexesNotSupported(reader.Text());
            case KvErrorCode.PreCommitFailed:
                return new KvError.PreCommitFailed(reader.Text(), reader.Flag());
            case KvErrorCode.StorageFailed:
                return new KvError.StorageFailed(reader.Text());
            default:
                reader.Fail(string.Create(CultureInfo.InvariantCulture, $"unknown error {(int)code}"));
                return null;
        }
    }
}
