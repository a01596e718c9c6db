# ActiveRecord over pg: tables read from the catalog and made by a migration, models. See ../cases.py for its lines.

require "active_record"
require "stringio"
require "uri"

DAY = Date.new(1984, 2, 29)
SEEN = Time.utc(2001, 2, 3, 4, 5, Rational(6_789_012, 1_000_000))
READ = %w[towns people kinds clocks documents hosts lists]
CASES = {}

def say(*seen)
  puts "#{$current}: #{seen.map { |one| one.is_a?(String) ? one : one.inspect }.join(' ')}"
end

def on(name, &steps)
  CASES[name] = steps
end

# Not by its own reading of a URL, which leaves the percent signs in `options`.
def settings(url)
  uri = URI.parse(url)
  given = URI.decode_www_form(uri.query.to_s).to_h.transform_keys(&:to_sym)
  { adapter: "postgresql", host: uri.host, port: uri.port, database: uri.path.delete_prefix("/"),
    username: uri.user, password: URI.decode_www_form_component(uri.password), **given }
end

class Town < ActiveRecord::Base
  self.table_name = "orm_towns"
  has_many :people
end

class Person < ActiveRecord::Base
  self.table_name = "orm_people"
  belongs_to :town, optional: true
end

class Kind < ActiveRecord::Base
end

def database
  ActiveRecord::Base.connection
end

def shown(person)
  person.attributes.values.inspect
end

def fill
  Person.delete_all
  Town.delete_all
  brno = Town.create!(id: 1, name: "Brno")
  Town.create!(id: 2, name: "Lyon")
  Person.create!(id: 1, ssn: "911-00-0001", name: "Zelda Quartz", born: DAY, balance: "10.50", active: true, seen: SEEN,
                 card: "11111111-2222-3333-4444-555555555555", photo: "\0\xFF".b, note: "left handed", town: brno)
  Person.create!(id: 2, ssn: "911-00-0002", name: "Oskar O'Dune", born: Date.new(1999, 12, 31), balance: -3, town_id: 2)
  Person.create!(id: 3, ssn: "911-00-0003", name: "Žaneta \\ Říční", balance: "0.01", note: "")
end

on "introspection" do
  READ.each do |table|
    database.columns(table).each do |column|
      say table, column.name, column.sql_type, column.type, column.limit, column.precision, column.scale, column.null,
          column.default, column.default_function
    end
    say table, "key", database.primary_key(table)
    database.indexes(table).each { |index| say table, "index", index.name, index.columns, index.unique, index.where }
    database.foreign_keys(table).each { |key| say table, "foreign key", key.column, key.to_table, key.primary_key }
  end
  say database.tables.sort, database.views, database.data_source_exists?("people"), database.schema_names
end

on "migration" do
  ActiveRecord::Migration.suppress_messages do
    ActiveRecord::Migration.class_eval do
      create_table(:orm_towns) { |t| t.string :name, limit: 40, null: false }
      create_table :orm_people do |t|
        t.string :ssn, limit: 20, null: false
        t.string :name, limit: 60, null: false
        t.date :born
        t.decimal :balance, precision: 10, scale: 2
        t.boolean :active
        t.column :seen, :timestamptz
        t.uuid :card
        t.binary :photo
        t.text :note
        t.references :town, foreign_key: { to_table: :orm_towns }
      end
      add_index :orm_people, :ssn, unique: true
      add_index :orm_people, :born
      change_column_null :orm_people, :name, true
      change_column_null :orm_people, :name, false
      add_column :orm_people, :floor, :integer, default: 3
      rename_column :orm_people, :floor, :storey
      remove_column :orm_people, :storey
    end
  end
  Person.reset_column_information
  Person.columns.each { |column| say column.name, column.sql_type, column.null, column.default }
end

on "schema" do
  dump = StringIO.new
  ActiveRecord::SchemaDumper.dump(database, dump)
  dump.string.each_line { |line| say line.chomp }
end

on "crud" do
  Person.order(:id).each { |person| say shown(person) }
  person = Person.find_by!(ssn: "911-00-0002")
  person.update!(name: "Oskar O", balance: BigDecimal("7.25"), note: "moved")
  say shown(Person.find(2).reload)
  say Person.where(ssn: %w[911-00-0001 911-00-0003]).order(:id).pluck(:name)
  say Person.where.not(ssn: "911-00-0001").order(:id).ids, Person.where(note: nil).count, Person.exists?(ssn: "nobody")
  Person.find(3).destroy!
  say Person.count
end

on "types" do
  Kind.delete_all
  Kind.create!(id: 1, truth: true, small: -32_768, whole: 2_147_483_647, large: -9_223_372_036_854_775_808, exact: "12345678.9012",
               loose: "0.00000000000000000001", single: 1.5, twice: 0.1, words: "naïve\ttext", short: "twenty characters ok",
               padded: "pad", bytes: "\0\x01\xFE\xFF".b, day: DAY, moment: SEEN, instant: SEEN,
               identity: "11111111-2222-3333-4444-555555555555")
  Kind.create!(id: 2)
  Kind.order(:id).each { |kind| say kind.attributes.values.inspect }
  say Kind.where(day: DAY, truth: true, identity: "11111111-2222-3333-4444-555555555555").ids
end

on "order" do
  say Person.order(born: :desc).pluck(:born), Person.where(born: Date.new(1980)..Date.new(1990)).ids
  say Person.minimum(:born), Person.maximum(:balance), Person.where("balance > ?", 0).order(:balance).pluck(:balance)
  say Person.order(:born, :id).limit(1).offset(1).ids, Person.find_each(batch_size: 1).map(&:id)
end

on "groups" do
  say Person.group(:ssn).count.sort.to_a, Person.distinct.pluck(:ssn).sort, Person.distinct.count(:ssn)
  say Person.joins(:town).where(orm_towns: { name: "Brno" }).pluck(:name), Town.includes(:people).order(:id).map { |town| town.people.map(&:name) }
  say Person.left_joins(:town).order(:id).pluck("orm_towns.name", :name), Person.where(ssn: Person.where(id: 1).select(:ssn)).ids
end

on "bulk" do
  say Person.insert_all([{ id: 10, ssn: "922-1", name: "Batch 1" }, { id: 11, ssn: "922-2", name: "Batch 2" }], returning: %w[id name]).rows
  say Person.upsert_all([{ id: 12, ssn: "922-1", name: "Batch 3" }], unique_by: :ssn, returning: %w[ssn name]).rows
  say Person.where(id: 10..).update_all(note: "many"), Person.where(id: 10..).pluck(:note)
  say Person.where(ssn: "922-1").delete_all
end

on "transactions" do
  Person.transaction do
    Person.create!(id: 20, ssn: "933-1", name: "In")
    Person.transaction(requires_new: true) do
      Person.create!(id: 21, ssn: "933-2", name: "Out")
      raise ActiveRecord::Rollback
    end
    say Person.lock.where(id: 20).pluck(:name)
  end
  say Person.where(id: 20..).pluck(:name)
end

on "errors" do
  [-> { Person.create!(ssn: "911-00-0001", name: "Twin") }, -> { Person.create!(ssn: nil, name: "x") },
   -> { Person.create!(ssn: "x" * 21, name: "x") }, -> { Person.create!(ssn: "y", name: "x", balance: "1e9") },
   -> { Person.create!(ssn: "z", name: "x", town_id: 99) }, -> { Person.where("nothing = 1").to_a }].each do |step|
    step.call
  rescue ActiveRecord::StatementInvalid => error
    say error.class, error.cause.result.error_field(PG::Result::PG_DIAG_SQLSTATE), error.cause.message.lines.first.chomp
  end
end

on "reconnection" do
  say Person.find(1).name
  database.reconnect!
  say Person.find(1).name, database.active?
end

def main(url)
  ActiveRecord.default_timezone = :utc if ActiveRecord.respond_to?(:default_timezone=)
  ActiveRecord::Base.establish_connection(settings(url))
  failures = 0
  CASES.each do |name, steps|
    $current = name
    fill unless %w[introspection migration schema types].include?(name)
    steps.call
    puts "ok #{name}"
  rescue StandardError => error
    failures += 1
    state = error.cause.is_a?(PG::Error) && error.cause.result ? error.cause.result.error_field(PG::Result::PG_DIAG_SQLSTATE) : error.class
    puts "failed #{name}: #{state} #{error.message.split.join(' ')}"
  end
  exit(failures.zero? ? 0 : 1)
end

abort "usage: suite.rb CONNECTION_STRING" unless ARGV.length == 1
$stdout.sync = true
main(ARGV.first)
