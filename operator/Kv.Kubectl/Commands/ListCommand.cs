using System.CommandLine;
using Kv.Kubectl.Output;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv list</c>: the buckets of a type, or the keys of a bucket, as they come.</summary>
internal static class ListCommand
{
    private const string Form = "[TYPE] BUCKET lists its keys; --type TYPE alone, or nothing, the buckets";

    public static Command Create(CommandSession session)
    {
        var command = new Command("list", "List the keys of a bucket, or the buckets of a type, one to a line. It reads every replica range: not for applications.");
        var names = new ObjectArguments(command, "[TYPE] BUCKET", "The bucket whose keys are listed; without it, the buckets of --type.");
        session.Bind(command, async (parsed, caller, cancel) =>
        {
            var (type, rest) = names.Read(session, parsed, 0, 1, Form);
            var listing = new Listing(session.Terminal, session.IsJson(parsed), names.IsBase64(parsed), rest.Length == 0 ? "bucket" : "key");
            if (rest.Length == 0)
            {
                await caller.StreamAsync(
                    (client, options, milliseconds) => client.ListBuckets(new ListBucketsRequest { BucketType = type, TimeoutMilliseconds = milliseconds }, options),
                    page => listing.AddAsync(page.Buckets, cancel),
                    cancel);
            }
            else
            {
                var bucket = names.Name(parsed, "bucket", rest[0]);
                await caller.StreamAsync(
                    (client, options, milliseconds) => client.ListKeys(
                        new ListKeysRequest { BucketType = type, Bucket = bucket, TimeoutMilliseconds = milliseconds }, options),
                    page => listing.AddAsync(page.Keys, cancel),
                    cancel);
            }

            await listing.EndAsync();
            return ExitCode.Ok;
        });
        return command;
    }
}
