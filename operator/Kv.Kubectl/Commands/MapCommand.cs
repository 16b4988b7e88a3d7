using System.CommandLine;
using Kv.Protos.Kv.V1;

namespace Kv.Kubectl.Commands;

/// <summary><c>kv map update|remove</c>: fields of maps.</summary>
internal static class MapCommand
{
    private const string UpdateForm = "TYPE BUCKET KEY CHANGE...";
    private const string RemoveForm = "TYPE BUCKET KEY FIELD...";

    private const string Fields = """
        A FIELD is its name and its kind: visits_counter, friends_set, name_register, paid_flag; in a map within the map address_map.city_register.
        A CHANGE is visits_counter+=1, visits_counter-=1, friends_set+=bob, friends_set-=bob, name_register=Alice, paid_flag=true. All are done, or none.
        """;

    public static Command Create(CommandSession session) =>
        new("map", "Change maps: keys of bucket types with the datatype `map`.") { Update(session), Remove(session) };

    private static Command Update(CommandSession session)
    {
        var command = new Command("update", $"Change fields of a map; those that are not there are made.\n{Fields}");
        var update = new DataTypeUpdate(session, command, UpdateForm, "The key and the changes.", canRemove: true);
        session.Bind(command, (parsed, caller, cancel) =>
        {
            var (key, changes) = update.Read(parsed, 1, int.MaxValue);
            return update.RunAsync(parsed, caller, key, Whole(changes.Select(MapWords.Change)), isRepeatable: false, cancel);
        });
        return command;
    }

    private static Command Remove(CommandSession session)
    {
        var command = new Command("remove", $"Remove fields of a map with all that is in them: what the context saw, so that what another changed since stays.\n{Fields}");
        var update = new DataTypeUpdate(session, command, RemoveForm, "The key and the fields.", canRemove: true);
        session.Bind(command, (parsed, caller, cancel) =>
        {
            var (key, fields) = update.Read(parsed, 1, int.MaxValue);
            return update.RunAsync(parsed, caller, key, Whole(fields.Select(MapWords.Removal)), isRepeatable: false, cancel);
        });
        return command;
    }

    private static DataTypeOperation Whole(IEnumerable<MapChange> changes)
    {
        var whole = new MapChange();
        foreach (var change in changes)
        {
            whole.MergeFrom(change);
        }

        return new DataTypeOperation { Map = whole };
    }
}
