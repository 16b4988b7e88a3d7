using System.CommandLine;
using System.Text;
using Google.Protobuf;
using Kv.Protos.Admin.V1;

namespace Kv.Kubectl.Commands;

/// <summary>How a command line names the keys of a bucket that are to be repaired.</summary>
internal sealed class KeyRangeOptions
{
    private readonly Option<string?> type = new("--bucket-type", "-t") { HelpName = "TYPE", Description = "With --bucket: its type; without, default." };
    private readonly Option<string?> bucket = new("--bucket") { HelpName = "BUCKET", Description = "Every key of this bucket, on whatever partition." };
    private readonly Option<string?> from = new("--from") { HelpName = "KEY", Description = "With --bucket: from this key on, in the order of bytes." };
    private readonly Option<string?> to = new("--to") { HelpName = "KEY", Description = "With --bucket: up to this key, and with it." };

    public void AddTo(Command command)
    {
        command.Add(bucket);
        command.Add(type);
        command.Add(from);
        command.Add(to);
    }

    /// <summary>Null where no bucket is named.</summary>
    public RepairKeysRequest? Read(ParseResult parsed)
    {
        if (parsed.GetValue(bucket) is not { } name)
        {
            return parsed.GetValue(type) is null && parsed.GetValue(from) is null && parsed.GetValue(to) is null
                ? null
                : throw CliException.Usage("--bucket-type, --from and --to go with --bucket");
        }

        return new RepairKeysRequest
        {
            BucketType = parsed.GetValue(type) ?? "default",
            Bucket = Bytes("bucket", name),
            From = parsed.GetValue(from) is { } first ? Bytes("first key", first) : ByteString.Empty,
            To = parsed.GetValue(to) is { } last ? Bytes("last key", last) : ByteString.Empty,
        };
    }

    private static ByteString Bytes(string what, string text) =>
        text.Length > 0 ? UnsafeByteOperations.UnsafeWrap(Encoding.UTF8.GetBytes(text)) : throw CliException.Usage($"the {what} is empty");
}
