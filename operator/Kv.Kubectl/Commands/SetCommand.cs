using System.CommandLine;
using Google.Protobuf;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv set add|remove</c>, <c>kv gset add</c>, <c>kv hll add</c>: members of what has members.</summary>
internal static class SetCommand
{
    private const string Form = "TYPE BUCKET KEY MEMBER...";

    public static IEnumerable<Command> CreateAll(CommandSession session) =>
    [
        new("set", "Change sets: keys of bucket types with the datatype `set`.")
        {
            Change(session, "add", "Add members to a set.", canRemove: false, members => new() { Set = new() { Adds = { members } } }),
            Change(session, "remove", "Remove members from a set: those that the context saw, so that what another added since stays.", canRemove: true, members => new() { Set = new() { Removes = { members } } }),
        },
        new("gset", "Change sets that only grow: keys of bucket types with the datatype `gset`.")
        {
            Change(session, "add", "Add members to a set that only grows.", canRemove: false, members => new() { Gset = new() { Members_ = { members } } }),
        },
        new("hll", "Change HyperLogLogs, which estimate a number of distinct members: keys of bucket types with the datatype `hll`.")
        {
            Change(session, "add", "Add members to what is estimated.", canRemove: false, members => new() { Hll = new() { Members_ = { members } } }),
        },
    ];

    private static Command Change(CommandSession session, string verb, string description, bool canRemove, Func<IEnumerable<ByteString>, DataTypeOperation> operation)
    {
        var command = new Command(verb, description);
        var update = new DataTypeUpdate(session, command, Form, "The key and the members.", canRemove);
        var base64 = new Option<bool>("--base64-members") { Description = "The members are given in base64: for those that are no text." };
        command.Add(base64);
        session.Bind(command, (parsed, caller, cancel) =>
        {
            var (key, values) = update.Read(parsed, 1, int.MaxValue);
            var members = values.Select(value => parsed.GetValue(base64) ? OfBase64(value) : ByteString.CopyFromUtf8(value)).ToList();

            // What is removed twice is not there the second time; nor is it known whether another has added it meanwhile.
            return update.RunAsync(parsed, caller, key, operation(members), isRepeatable: !canRemove, cancel);
        });
        return command;
    }

    private static ByteString OfBase64(string text)
    {
        try
        {
            return ByteString.FromBase64(text);
        }
        catch (FormatException)
        {
            throw CliException.Usage($"the member `{text}` is not base64");
        }
    }
}
